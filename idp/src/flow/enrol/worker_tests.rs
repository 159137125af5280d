use super::*;

#[test]
fn a_register_in_trouble_is_asked_less_and_less_often() {
    let now = Moment::from_unix(1_795_320_000);
    let pauses = [1, 2, 3, 8, 9, 16, 400].map(|tries| again_at(tries, now).since(now).as_seconds());
    assert_eq!(pauses, [2, 4, 8, 256, 300, 300, 300]);
    assert_eq!(again_at(-1, now), again_at(1, now));
}

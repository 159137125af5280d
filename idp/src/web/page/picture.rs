//! QR codes drawn inline: nothing is fetched, and a strict content policy has nothing to stop.

use qrcode::{Color, EcLevel, QrCode};

/// A QR code as a path of unit squares, so that the page needs no script, style or foreign file to show it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Squares a side, the quiet zone included (ISO/IEC 18004 §9.1: four).
    pub side: usize,
    pub path: String,
}

const QUIET: usize = 4;

pub fn picture(text: &str) -> Picture {
    let Ok(code) = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M) else {
        return Picture { side: 1, path: String::new() };
    };
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, two| one == two) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, length) = (x + QUIET, y + QUIET, run.len());
                path.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
            }
            x += run.len();
        }
    }
    Picture { side: width + 2 * QUIET, path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_the_code_square_by_square() {
        let text = "https://id.gov.vn/app#dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let picture = picture(text);
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        assert_eq!(picture.side, code.width() + 8);
        // Drawn back into squares, every dark one is covered once and no light one.
        let mut dark = vec![0; picture.side * picture.side];
        for run in picture.path.split('M').skip(1) {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split_once('v').unwrap().0.parse().unwrap();
            (x..x + length).for_each(|x| dark[y * picture.side + x] += 1);
        }
        for y in 0..code.width() {
            for x in 0..code.width() {
                let expected = usize::from(code[(x, y)] == Color::Dark);
                assert_eq!(dark[(y + 4) * picture.side + x + 4], expected, "{x} {y}");
            }
        }
        assert_eq!(dark.iter().sum::<usize>(), code.to_colors().iter().filter(|it| **it == Color::Dark).count());
    }
}

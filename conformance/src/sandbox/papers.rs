//! Papers: the claims the registers hold about the seeded holders, by catalogue name, in the formats of `domain.md` 3.

use serde_json::{Value, json};

/// An address in the units in force since 2025-07-01: province and commune, no district (`domain.md` 3.3).
fn address(street: &str, commune: &str, code: &str, since: &str) -> Value {
    json!({
        "formatted": format!("{street}, {commune}, Thành phố Hà Nội"),
        "street_address": street,
        "locality": commune,
        "region": "Thành phố Hà Nội",
        "country": "VNM",
        "vn_code": code,
        "vn_code_system": "vn-admin-2025",
        "vn_valid_from": since,
    })
}

/// A place as a register wrote it before July 2025, in three tiers.
fn old_place(commune: &str, district: &str, code: &str) -> Value {
    json!({
        "formatted": format!("{commune}, {district}, Thành phố Hà Nội"),
        "locality": commune,
        "district": district,
        "region": "Thành phố Hà Nội",
        "country": "VNM",
        "vn_code": code,
        "vn_code_system": "vn-admin-2004",
        "vn_valid_to": "2025-06-30",
    })
}

/// A level-1 holder: what was declared in the app, and the vaccination record that level 1 opens.
pub fn level_one() -> Value {
    json!({
        "locale": "vi-VN",
        "zoneinfo": "Asia/Ho_Chi_Minh",
        "updated_at": 1_767_225_600,
        "vn_vaccinations": [
            {"vaccine": "Vero Cell", "dose": 1, "date": "2021-09-12", "place": "Trạm y tế phường Bạch Mai"}
        ],
    })
}

/// What every level-2 holder has at least.
pub fn basic(number: &str, name: &str) -> Value {
    let (street, commune, code) = match number {
        "099085000003" => ("Số 5 phố Hàng Bài", "Phường Cửa Nam", "00082"),
        "099195000004" => ("Số 27 phố Quang Trung", "Phường Hà Đông", "09556"),
        "099216000005" => ("Số 12 đường Xuân Thủy", "Phường Cầu Giấy", "00166"),
        "099188000006" => ("Thôn Vệ", "Xã Đông Anh", "00454"),
        "099080000007" => ("Số 44 phố Yết Kiêu", "Phường Hoàn Kiếm", "00070"),
        _ => ("Số 9 phố Kim Mã", "Phường Giảng Võ", "00025"),
    };
    json!({
        "locale": "vi-VN",
        "zoneinfo": "Asia/Ho_Chi_Minh",
        "updated_at": 1_767_225_600,
        "nationalities": ["VNM"],
        "address": address(street, commune, code, "2025-07-01"),
        "vn_household_head": {"name": if number == "099216000005" { "Nguyễn Văn An" } else { name }},
        "vn_relation_to_head": if number == "099216000005" { "Con" } else { "Chủ hộ" },
    })
}

/// Nguyễn Văn An: every standard claim of OIDC Core §5.1 and every paper of the catalogue.
pub fn full(national: &str) -> Value {
    let mut claims = json!({
        "family_name": "Nguyễn",
        "middle_name": "Văn",
        "given_name": "An",
        "nickname": "An",
        "preferred_username": "nguyenvanan",
        "profile": "https://example.com/nguyen-van-an",
        "picture": format!("{national}/portrait.svg"),
        "website": "https://example.com/",
        "zoneinfo": "Asia/Ho_Chi_Minh",
        "locale": "vi-VN",
        "updated_at": 1_767_225_600,
        "address": address("Số 12 đường Xuân Thủy", "Phường Cầu Giấy", "00166", "2025-07-01"),
        "nationalities": ["VNM"],
        "place_of_birth": {"country": "VNM", "region": "Thành phố Hà Nội", "locality": "Bệnh viện Phụ sản Hà Nội"},
        "vn_birth_registration_place": old_place("Phường Quan Hoa", "Quận Cầu Giấy", "00169"),
        "vn_hometown": old_place("Xã Uy Nỗ", "Huyện Đông Anh", "00478"),
        "vn_ethnicity": "Kinh",
        "vn_religion": "Không",
        "also_known_as": "Nguyễn An",
        "vn_previous_ids": [{"type": "cmnd", "number": "000000001", "cancelled": "2021-04-15"}],
        "vn_temporary_address": address("Số 3 ngõ 71 phố Láng Hạ", "Phường Giảng Võ", "00025", "2025-08-04"),
        "vn_current_address": address("Số 12 đường Xuân Thủy", "Phường Cầu Giấy", "00166", "2025-07-01"),
        "vn_card_issue_date": "2021-04-15",
        "vn_card_expiry": "2030-05-19",
        "vn_card_status": "valid",
    });
    for more in [family(), insurance(), registers()] {
        if let (Some(claims), Value::Object(more)) = (claims.as_object_mut(), more) {
            claims.extend(more);
        }
    }
    claims
}

fn family() -> Value {
    json!({
        "vn_marital_status": "Đã kết hôn",
        "vn_marriage_cert": {
            "number": "45/2014", "date": "2014-10-20", "place": "UBND phường Quan Hoa, quận Cầu Giấy, Hà Nội"
        },
        "vn_parents": [
            {"relation": "Cha", "name": "Nguyễn Văn Phúc", "birth_year": 1962},
            {"relation": "Mẹ", "name": "Đỗ Thị Lan", "birth_year": 1965}
        ],
        "vn_spouse": {"name": "Lý Thu Hà", "birthdate": "1991-09-09"},
        "vn_children": [{"name": "Nguyễn Minh Khôi", "birthdate": "2016-06-01", "gender": "male"}],
        "vn_household_head": {"name": "Nguyễn Văn An"},
        "vn_household_members": [
            {"name": "Nguyễn Văn An", "relation": "Chủ hộ"},
            {"name": "Lý Thu Hà", "relation": "Vợ"},
            {"name": "Nguyễn Minh Khôi", "relation": "Con"}
        ],
        "vn_relation_to_head": "Chủ hộ",
        "vn_dependants": [{"name": "Nguyễn Minh Khôi", "relation": "Con", "birthdate": "2016-06-01"}],
        "vn_birth_certificate": {"number": "123/1990", "date": "1990-05-25", "place": "UBND phường Quan Hoa, Hà Nội"},
    })
}

fn insurance() -> Value {
    json!({
        "vn_bhyt": {
            "number": "DN4010199000001", "valid_from": "2026-01-01", "valid_to": "2030-12-31",
            "facility": "Bệnh viện Đa khoa Cầu Giấy", "benefit": "80%"
        },
        // Since 2025-08-01 the personal number is the insurance number; the book keeps its old ten digits.
        "vn_bhxh": {"number": "099090000001", "book_number": "0199000001", "months_paid": 142},
        "vn_vaccinations": [
            {"vaccine": "Comirnaty", "dose": 1, "date": "2021-08-15", "place": "Bệnh viện Đa khoa Cầu Giấy"},
            {"vaccine": "Comirnaty", "dose": 2, "date": "2021-09-20", "place": "Bệnh viện Đa khoa Cầu Giấy"}
        ],
        "vn_health_record": {"blood_group": "O+", "allergies": ["Penicillin"], "last_visit": "2026-03-11"},
        "vn_welfare_account": {"bank": "Ngân hàng thử nghiệm", "account_number": "0000000000001"},
    })
}

fn registers() -> Value {
    json!({
        "vn_gplx": {
            "number": "010990000001", "class": "B", "issue_date": "2020-02-10", "expiry": "2030-02-10",
            "issuer": "Công an thành phố Hà Nội"
        },
        // Local code 96 is given to no province, so these plates are nobody's.
        "vn_vehicles": [
            {"type": "car", "plate": "96A12345", "brand": "VinFast VF 5", "registered": "2024-02-29"},
            {"type": "motorbike", "plate": "96B112345", "brand": "Honda Wave", "registered": "2018-06-18"}
        ],
        "vn_tax_code": "099090000001",
        "vn_passport": {"number": "P0000001", "issue_date": "2023-01-09", "expiry": "2033-01-09", "country": "VNM"},
        "vn_criminal_record": {"number": "0001/2026/LLTP", "issue_date": "2026-02-02", "result": "Không có án tích"},
        "vn_land_certificates": [
            {"number": "AA 00000001", "plot": "Thửa 15, tờ bản đồ 7", "commune": "Phường Cầu Giấy", "area_m2": 68}
        ],
        "vn_degrees": [
            {"title": "Cử nhân Công nghệ thông tin", "institution": "Đại học Bách khoa Hà Nội", "year": 2012}
        ],
        "vn_digital_citizen_status": "Đủ điều kiện",
    })
}

/// What a ministry's register holds about a number, by the path it answers at. The driving licence of 099198000009 and a
/// plate of 099097000010 are malformed on purpose: a register is not always right.
pub fn of_register(register: &str, number: &str) -> Value {
    let ten = number.get(2..).unwrap_or_default();
    let tail = number.get(7..).unwrap_or_default();
    match (register, number) {
        ("/traffic", "099198000009") => json!({"vn_gplx": {"number": "0109"}, "vn_vehicles": []}),
        ("/traffic", "099097000010") => json!({
            "vn_gplx": {"number": number, "class": "B", "issue_date": "2021-05-06", "expiry": "2031-05-06"},
            "vn_vehicles": [{"type": "car", "plate": "96A-00010", "brand": "VinFast VF 3"}],
        }),
        ("/traffic", _) => json!({
            "vn_gplx": {"number": number, "class": "A1", "issue_date": "2019-05-06", "expiry": null},
            "vn_vehicles": [{"type": "motorbike", "plate": format!("96B1{tail}"), "brand": "Honda Wave"}],
        }),
        ("/insurance", _) => json!({
            "vn_bhyt": {"number": format!("GD401{ten}"), "valid_from": "2026-01-01", "valid_to": "2026-12-31"},
            "vn_bhxh": {"number": number, "months_paid": 36},
        }),
        ("/tax", _) => json!({"vn_tax_code": number}),
        _ => json!({}),
    }
}

//! The catalogue of claims: name, scope, label, sensitivity and the account level each needs (`domain.md` 4).
//!
//! Standard scopes carry exactly the claims of OIDC Core 5.4; the `vn_` ones are ours. The catalogue is data:
//! a new paper is a new row.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::level::AccountLevel;

/// One row of the catalogue.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub scope: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
    pub level: AccountLevel,
    /// ND356 Art 4: shown with the badge «dữ liệu nhạy cảm».
    pub sensitive: bool,
    /// Stated beside another claim and never asked about alone (`email_verified` goes with `email`).
    pub with: Option<&'static str>,
}

const ONE: AccountLevel = AccountLevel::One;
const TWO: AccountLevel = AccountLevel::Two;

const fn row(
    scope: &'static str,
    name: &'static str,
    vi: &'static str,
    en: &'static str,
    level: AccountLevel,
) -> Entry {
    Entry { name, scope, vi, en, level, sensitive: false, with: None }
}

const fn sensitive(entry: Entry) -> Entry {
    Entry { sensitive: true, ..entry }
}

const fn beside(entry: Entry, with: &'static str) -> Entry {
    Entry { with: Some(with), ..entry }
}

/// Every claim a portal may ask for, in the order pages show them.
pub static CATALOGUE: &[Entry] = &[
    row("profile", "name", "Họ, chữ đệm và tên", "Full name", ONE),
    row("profile", "family_name", "Họ", "Family name", ONE),
    row("profile", "middle_name", "Chữ đệm", "Middle name", ONE),
    row("profile", "given_name", "Tên", "Given name", ONE),
    row("profile", "nickname", "Tên thường gọi", "Nickname", ONE),
    row("profile", "preferred_username", "Tên hiển thị", "Preferred username", ONE),
    row("profile", "birthdate", "Ngày, tháng, năm sinh", "Date of birth", ONE),
    row("profile", "gender", "Giới tính", "Gender", ONE),
    row("profile", "picture", "Ảnh khuôn mặt", "Portrait", TWO),
    row("profile", "profile", "Trang giới thiệu", "Profile page", ONE),
    row("profile", "website", "Trang mạng", "Website", ONE),
    row("profile", "zoneinfo", "Múi giờ", "Time zone", ONE),
    row("profile", "locale", "Ngôn ngữ", "Language", ONE),
    row("profile", "updated_at", "Lần cập nhật gần nhất", "Last updated", ONE),
    row("email", "email", "Địa chỉ thư điện tử", "Email address", ONE),
    beside(row("email", "email_verified", "Thư điện tử đã xác minh", "Email verified", ONE), "email"),
    row("phone", "phone_number", "Số thuê bao di động chính chủ", "Mobile number", ONE),
    beside(row("phone", "phone_number_verified", "Số điện thoại đã xác minh", "Phone verified", ONE), "phone_number"),
    row("address", "address", "Nơi thường trú", "Permanent residence", TWO),
    row("vn_identity", "vn_personal_id", "Số định danh cá nhân", "Personal identification number", ONE),
    row("vn_nationality", "nationalities", "Quốc tịch", "Nationality", TWO),
    row("vn_civil", "place_of_birth", "Nơi sinh", "Place of birth", TWO),
    row("vn_civil", "vn_birth_registration_place", "Nơi đăng ký khai sinh", "Place of birth registration", TWO),
    row("vn_civil", "vn_hometown", "Quê quán", "Hometown", TWO),
    sensitive(row("vn_civil", "vn_ethnicity", "Dân tộc", "Ethnicity", TWO)),
    sensitive(row("vn_civil", "vn_religion", "Tôn giáo", "Religion", TWO)),
    row("vn_civil", "also_known_as", "Tên gọi khác", "Also known as", TWO),
    row("vn_civil", "vn_previous_ids", "Số CMND, số định danh đã hủy", "Previous identification numbers", TWO),
    row("vn_residence", "vn_temporary_address", "Nơi tạm trú", "Temporary residence", TWO),
    row("vn_residence", "vn_current_address", "Nơi ở hiện tại", "Current address", TWO),
    row("vn_card", "vn_card_issue_date", "Ngày cấp thẻ căn cước", "Card issue date", TWO),
    row("vn_card", "vn_card_expiry", "Hạn dùng thẻ căn cước", "Card expiry date", TWO),
    row("vn_card", "vn_card_status", "Tình trạng thẻ căn cước", "Card status", TWO),
    row("vn_eid_status", "vn_eid_state", "Trạng thái căn cước điện tử", "Electronic identity state", ONE),
    row("vn_marital", "vn_marital_status", "Tình trạng hôn nhân", "Marital status", TWO),
    row("vn_marital", "vn_marriage_cert", "Giấy chứng nhận kết hôn", "Marriage certificate", TWO),
    row("vn_family", "vn_parents", "Cha, mẹ", "Parents", TWO),
    row("vn_family", "vn_spouse", "Vợ hoặc chồng", "Spouse", TWO),
    row("vn_family", "vn_children", "Con", "Children", TWO),
    row("vn_household", "vn_household_head", "Chủ hộ", "Head of household", TWO),
    row("vn_household", "vn_household_members", "Thành viên hộ", "Household members", TWO),
    row("vn_household", "vn_relation_to_head", "Quan hệ với chủ hộ", "Relation to head of household", TWO),
    row("vn_dependants", "vn_dependants", "Người phụ thuộc, được giám hộ", "Dependants", TWO),
    sensitive(row("vn_health_insurance", "vn_bhyt", "Thẻ bảo hiểm y tế", "Health insurance card", TWO)),
    row("vn_social_insurance", "vn_bhxh", "Mã số bảo hiểm xã hội", "Social insurance number", TWO),
    row("vn_driving_licence", "vn_gplx", "Giấy phép lái xe", "Driving licence", TWO),
    row("vn_vehicles", "vn_vehicles", "Đăng ký xe", "Vehicle registrations", TWO),
    row("vn_tax", "vn_tax_code", "Mã số thuế", "Tax code", TWO),
    row("vn_birth_cert", "vn_birth_certificate", "Giấy khai sinh", "Birth certificate", TWO),
    row("vn_passport", "vn_passport", "Hộ chiếu", "Passport", TWO),
    sensitive(row("vn_vaccination", "vn_vaccinations", "Thông tin tiêm chủng", "Vaccinations", ONE)),
    sensitive(row("vn_health_record", "vn_health_record", "Sổ sức khỏe điện tử", "Health record", TWO)),
    sensitive(row(
        "vn_criminal_record",
        "vn_criminal_record",
        "Phiếu lý lịch tư pháp",
        "Criminal record certificate",
        TWO,
    )),
    row("vn_land", "vn_land_certificates", "Giấy chứng nhận quyền sử dụng đất", "Land use certificates", TWO),
    row("vn_education", "vn_degrees", "Văn bằng, chứng chỉ", "Degrees and certificates", TWO),
    sensitive(row("vn_welfare_account", "vn_welfare_account", "Tài khoản an sinh xã hội", "Welfare account", TWO)),
    row("vn_digital_citizen", "vn_digital_citizen_status", "Mức độ công dân số", "Digital citizen status", TWO),
];

/// Scopes that carry no claim of the catalogue. `vn_eid_status` also states both levels at userinfo.
pub const PLAIN_SCOPES: &[&str] = &["openid", "offline_access"];

/// The name of a claim that stands in the catalogue; nothing else can be one.
#[derive(Clone, Copy)]
pub struct ClaimName(&'static Entry);

impl ClaimName {
    pub fn find(name: &str) -> Option<ClaimName> {
        CATALOGUE.iter().find(|entry| entry.name == name).map(ClaimName)
    }

    pub fn of_scope(scope: &str) -> impl Iterator<Item = ClaimName> + '_ {
        CATALOGUE.iter().filter(move |entry| entry.scope == scope).map(ClaimName)
    }

    pub fn all() -> impl Iterator<Item = ClaimName> {
        CATALOGUE.iter().map(ClaimName)
    }

    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    pub fn entry(self) -> &'static Entry {
        self.0
    }

    /// The label in a language; Vietnamese unless English is asked.
    pub fn label(self, language: &str) -> &'static str {
        if language == "en" { self.0.en } else { self.0.vi }
    }
}

/// Every scope we know, `openid` first.
pub fn scopes() -> Vec<&'static str> {
    let mut scopes = PLAIN_SCOPES.to_vec();
    for entry in CATALOGUE {
        if !scopes.contains(&entry.scope) {
            scopes.push(entry.scope);
        }
    }
    scopes
}

impl PartialEq for ClaimName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ClaimName {}

impl PartialOrd for ClaimName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClaimName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(other.0.name)
    }
}

impl fmt::Debug for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Serialize for ClaimName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for ClaimName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        ClaimName::find(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown claim {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_companions_exist() {
        for (i, entry) in CATALOGUE.iter().enumerate() {
            assert!(CATALOGUE.iter().skip(i + 1).all(|other| other.name != entry.name), "{}", entry.name);
            assert!(entry.with.is_none_or(|with| ClaimName::find(with).is_some()));
        }
    }

    #[test]
    fn oidc_core_5_4_standard_scopes_carry_exactly_their_claims() {
        let of = |scope| ClaimName::of_scope(scope).map(ClaimName::as_str).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(
            of("profile"),
            [
                "name",
                "family_name",
                "given_name",
                "middle_name",
                "nickname",
                "preferred_username",
                "profile",
                "picture",
                "website",
                "gender",
                "birthdate",
                "zoneinfo",
                "locale",
                "updated_at"
            ]
            .into()
        );
        assert_eq!(of("email"), ["email", "email_verified"].into());
        assert_eq!(of("phone"), ["phone_number", "phone_number_verified"].into());
        assert_eq!(of("address"), ["address"].into());
    }
}

//! Clients: the registrations of the sandbox's own relying parties, as files of `admin client put`.
//!
//! The sector is stated, so that a person keeps their `sub` at a portal when the sandbox moves to other ports.

use serde_json::{Value, json};

use super::authority::subject;
use super::ports::{Ports, origin};

pub const NATIONAL: &str = "national-portal";
pub const MINISTRY: &str = "social-security";
pub const CONSOLE: &str = "console";
/// The sample resource server: it asks about tokens and gets none of its own.
pub const DOSSIERS: &str = "dossier-api";

/// A machine that reads dossiers for its own office, and proves itself by certificate. Only where TLS is spoken.
pub const READER: &str = "dossier-reader";

/// The scope that opens it.
pub const DOSSIERS_READ: &str = "dossiers.read";

/// The registration of permanent residence (`domain.md` 5.2), the service that needs level 2.
pub const RESIDENCE: &str = "1.004222";

/// Everything the portals, the console and the resource server register, each with its secret.
pub fn registrations(ports: Ports, secret: impl Fn(&str) -> String) -> Vec<Value> {
    let mut all = vec![national(ports), ministry(ports), console(ports), dossiers(ports)];
    for registration in &mut all {
        let id = registration.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(members) = registration.as_object_mut() {
            members.insert("client_secret".to_owned(), secret(&id).into());
        }
    }
    if ports.speak_tls() {
        all.push(reader(ports));
    }
    all
}

fn national(ports: Ports) -> Value {
    let site = origin(ports.national());
    json!({
        "client_id": NATIONAL,
        "client_name": {"vi": "Cổng Dịch vụ công quốc gia", "en": "National Public Service Portal"},
        "redirect_uris": [format!("{site}/callback")],
        "post_logout_redirect_uris": [format!("{site}/signed-out")],
        "backchannel_logout_uri": format!("{site}/backchannel-logout"),
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "scope": "openid profile email phone address vn_identity vn_eid_status vn_residence vn_household vn_marital dossiers.read",
        "client_uri": format!("{site}/"),
        "logo_uri": format!("{site}/logo.svg"),
        "policy_uri": format!("{site}/policy"),
        "tos_uri": format!("{site}/terms"),
        "vn_relying_party": {"vi": "Văn phòng Chính phủ", "en": "Government Office"},
        "vn_resources": [ports.dossiers_origin()],
        "vn_sector": "national-portal.sandbox",
        "vn_security_level": 3,
        "vn_legal_basis": "consent",
        "vn_min_account_level": 1,
        "vn_min_auth_level": 1,
        "vn_purposes": [
            {
                "id": "dang-nhap",
                "title": {
                    "vi": "Đăng nhập và hiển thị đúng hồ sơ của bạn",
                    "en": "Sign you in and show your own applications"
                },
                "claims": ["name", "vn_personal_id", "birthdate", "gender"],
                "required": ["name", "vn_personal_id"]
            },
            {
                "id": "dien-san",
                "title": {
                    "vi": "Điền sẵn tờ khai để bạn không phải gõ lại",
                    "en": "Fill forms in for you, so that you need not type again"
                },
                "claims": ["address", "phone_number", "phone_number_verified", "email", "email_verified", "picture"]
            },
            {
                "id": "ho-so-cu-tru",
                "title": {
                    "vi": "Giải quyết hồ sơ đăng ký thường trú",
                    "en": "Decide on a registration of permanent residence"
                },
                "claims": [
                    "vn_current_address", "vn_temporary_address", "vn_household_head", "vn_relation_to_head",
                    "vn_marital_status"
                ],
                "required": ["vn_current_address"]
            }
        ],
        "vn_services": [{
            "code": RESIDENCE,
            "title": {"vi": "Đăng ký thường trú", "en": "Registration of permanent residence"},
            "min_account_level": 2,
            "min_auth_level": 2,
            "claims": [
                "address", "vn_current_address", "vn_temporary_address", "vn_household_head", "vn_relation_to_head",
                "vn_marital_status"
            ]
        }]
    })
}

fn ministry(ports: Ports) -> Value {
    let site = origin(ports.ministry());
    json!({
        "client_id": MINISTRY,
        "client_name": {"vi": "Cổng Bảo hiểm xã hội Việt Nam", "en": "Viet Nam Social Security Portal"},
        "redirect_uris": [format!("{site}/callback")],
        "post_logout_redirect_uris": [format!("{site}/signed-out")],
        "backchannel_logout_uri": format!("{site}/backchannel-logout"),
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "scope": "openid profile phone vn_identity vn_eid_status vn_social_insurance vn_health_insurance vn_dependants",
        "client_uri": format!("{site}/"),
        "logo_uri": format!("{site}/logo.svg"),
        "policy_uri": format!("{site}/policy"),
        "tos_uri": format!("{site}/terms"),
        "vn_relying_party": {"vi": "Bảo hiểm xã hội Việt Nam", "en": "Viet Nam Social Security"},
        "authorization_details_types": ["vn_transaction"],
        "vn_sector": "social-security.sandbox",
        "vn_holders": ["citizen", "foreigner", "organisation"],
        "vn_security_level": 3,
        "vn_legal_basis": "consent",
        "vn_min_account_level": 2,
        "vn_min_auth_level": 2,
        "vn_purposes": [
            {
                "id": "tra-cuu-bhxh",
                "title": {
                    "vi": "Tra cứu quá trình đóng bảo hiểm xã hội",
                    "en": "Show your social insurance contributions"
                },
                "claims": [
                    "name", "vn_personal_id", "birthdate", "gender", "phone_number", "phone_number_verified", "vn_bhxh"
                ],
                "required": ["name", "vn_personal_id", "vn_bhxh"]
            },
            {
                "id": "gia-han-bhyt",
                "title": {"vi": "Gia hạn thẻ bảo hiểm y tế", "en": "Renew the health insurance card"},
                "claims": ["vn_bhyt", "vn_dependants"],
                "sensitive_reason": {
                    "vi": "Cần số thẻ, hạn dùng và nơi khám chữa bệnh ban đầu để gia hạn đúng thẻ đang dùng.",
                    "en": "The card number, its validity and the first-visit hospital are needed to renew the right card."
                }
            }
        ]
    })
}

fn console(ports: Ports) -> Value {
    let site = origin(ports.console());
    json!({
        "client_id": CONSOLE,
        "client_name": {"vi": "Trang quản trị", "en": "Operator console"},
        "redirect_uris": [format!("{site}/callback")],
        "post_logout_redirect_uris": [format!("{site}/")],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        // It knows its officers by their subject and learns nothing else about them.
        "scope": "openid",
        "vn_relying_party": {"vi": "Cơ quan quản lý định danh", "en": "Identity authority"},
        "vn_sector": "console.sandbox",
        "vn_security_level": 4,
        "vn_min_account_level": 2,
        "vn_min_auth_level": 2
    })
}

fn dossiers(ports: Ports) -> Value {
    json!({
        "client_id": DOSSIERS,
        "client_name": {"vi": "Kho hồ sơ điện tử", "en": "Dossier store"},
        "grant_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": DOSSIERS_READ,
        "vn_relying_party": {"vi": "Văn phòng Chính phủ", "en": "Government Office"},
        "vn_sector": "dossier-api.sandbox",
        "vn_security_level": 3,
        "vn_serves": [ports.dossiers_origin()],
        "vn_token_form": "opaque"
    })
}

fn reader(ports: Ports) -> Value {
    json!({
        "client_id": READER,
        "client_name": {"vi": "Máy đọc hồ sơ", "en": "Dossier reader"},
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": subject(READER),
        "tls_client_certificate_bound_access_tokens": true,
        "scope": DOSSIERS_READ,
        "vn_relying_party": {"vi": "Ủy ban nhân dân tỉnh", "en": "Provincial People's Committee"},
        "vn_resources": [ports.dossiers_origin()],
        "vn_sector": "dossier-reader.sandbox",
        "vn_security_level": 3
    })
}

#[cfg(test)]
mod tests {
    use idp::domain::claim::ClaimName;
    use idp::domain::claim::scopes;
    use idp::domain::consent::Purpose;
    use idp::domain::relying_party::Service;

    use super::*;

    #[test]
    fn purposes_and_services_stand_in_the_registered_scopes() {
        for registration in registrations(Ports::from_base(8080).unwrap().with_tls(true), |_| "s".repeat(43)) {
            let id = registration["client_id"].as_str().unwrap();
            let scope: Vec<&str> = registration["scope"].as_str().unwrap().split(' ').collect();
            assert!(scope.iter().all(|scope| scopes().contains(scope) || *scope == DOSSIERS_READ), "{id}");
            let reachable: Vec<ClaimName> = scope.iter().flat_map(|scope| ClaimName::of_scope(scope)).collect();
            let purposes = registration.get("vn_purposes").cloned().unwrap_or_else(|| json!([]));
            let purposes: Vec<Purpose> = serde_json::from_value(purposes).unwrap();
            for purpose in &purposes {
                assert!(purpose.claims.iter().all(|claim| reachable.contains(claim)), "{id} {}", purpose.id);
                assert!(purpose.required.iter().all(|claim| purpose.claims.contains(claim)));
                let sensitive = purpose.claims.iter().any(|claim| claim.entry().sensitive);
                assert_eq!(sensitive, purpose.sensitive_reason.is_some(), "{id} {}", purpose.id);
            }
            let services = registration.get("vn_services").cloned().unwrap_or_else(|| json!([]));
            let services: Vec<Service> = serde_json::from_value(services).unwrap();
            let purposed = |claim| purposes.iter().any(|purpose| purpose.claims.contains(claim));
            assert!(services.iter().flat_map(|service| &service.claims).all(purposed), "{id}");
        }
    }
}

//! Ports: where each part of the sandbox answers, counted from one base (`contract.md` 2).

/// The base port and everything that follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    base: u16,
    tls: bool,
}

impl Ports {
    /// The highest port counted from the base is base + 1001.
    pub fn from_base(base: u16) -> Option<Self> {
        (base > 0 && base.checked_add(1001).is_some()).then_some(Self { base, tls: false })
    }

    /// Whether TLS is spoken, at the ports that can.
    pub fn with_tls(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    pub fn speak_tls(self) -> bool {
        self.tls
    }

    pub fn provider(self) -> u16 {
        self.base
    }

    pub fn console(self) -> u16 {
        self.base + 1
    }

    pub fn national(self) -> u16 {
        self.base + 2
    }

    pub fn ministry(self) -> u16 {
        self.base + 3
    }

    pub fn phone(self) -> u16 {
        self.base + 4
    }

    /// The provider once more, over TLS, where callers are asked for a certificate.
    pub fn mutual(self) -> u16 {
        self.base + 5
    }

    /// The sample resource server.
    pub fn dossiers(self) -> u16 {
        self.base + 6
    }

    /// The sample registers.
    pub fn registry(self) -> u16 {
        self.base + 7
    }

    /// What the resource server is called: the `resource` of a request and the `aud` of a token.
    pub fn dossiers_origin(self) -> String {
        if self.tls { secure_origin(self.dossiers()) } else { origin(self.dossiers()) }
    }

    pub fn provider_operations(self) -> u16 {
        self.base + 1000
    }

    pub fn console_operations(self) -> u16 {
        self.base + 1001
    }
}

/// How a browser on this machine names a port of ours. The issuer is the provider's.
pub fn origin(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// As `origin`, for a port that speaks TLS.
pub fn secure_origin(port: u16) -> String {
    format!("https://localhost:{port}")
}

/// What a server binds to: never more than this machine.
pub fn loopback(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_the_base() {
        let ports = Ports::from_base(8080).unwrap();
        assert_eq!(origin(ports.provider()), "http://localhost:8080");
        assert_eq!(loopback(ports.phone()), "127.0.0.1:8084");
        assert_eq!(ports.console_operations(), 9081);
        assert_eq!(secure_origin(ports.mutual()), "https://localhost:8085");
        assert_eq!(ports.dossiers_origin(), "http://localhost:8086");
        assert_eq!(ports.with_tls(true).dossiers_origin(), "https://localhost:8086");
        assert!(Ports::from_base(65_000).is_none());
        assert!(Ports::from_base(0).is_none());
    }
}

//! Ports: where each part of the sandbox answers, counted from one base (`contract.md` 2).

/// The base port and everything that follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    base: u16,
}

impl Ports {
    /// The highest port counted from the base is base + 1001.
    pub fn from_base(base: u16) -> Option<Self> {
        (base > 0 && base.checked_add(1001).is_some()).then_some(Self { base })
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

    /// The sample resource server.
    pub fn dossiers(self) -> u16 {
        self.base + 6
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
        assert!(Ports::from_base(65_000).is_none());
        assert!(Ports::from_base(0).is_none());
    }
}

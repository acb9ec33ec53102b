//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::{Error, Result};

/// `preferred` if nothing listens there, else any port that is free at this moment.
///
/// Another process may take it before its server binds: callers try again with a new one.
pub(crate) fn free(preferred: Option<u16>) -> Result<u16> {
    let bind =
        |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    preferred
        .and_then(|port| bind(port).ok())
        .map_or_else(|| bind(0), Ok)
        .map(|address| address.port())
        .map_err(|source| Error::Io { doing: "cannot find a free port on 127.0.0.1".into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preferred_port_that_is_taken_is_not_given() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        assert_ne!(free(Some(taken)).unwrap(), taken);
    }
}

//! Name servers: the system's, or one that a test runs.

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long one look may take, all tries together.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a name could not be looked up. That there is no such record is no error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DnsError {
    #[error("no name server answered within 8 s")]
    Late,
    #[error("the name servers took longer than 30 s")]
    Slow,
    #[error("{0}")]
    Failed(String),
}

/// Asks name servers.
pub struct Dns(TokioResolver);

impl Dns {
    /// The system's name servers.
    ///
    /// # Errors
    /// If the system names none.
    pub fn system() -> Result<Self, DnsError> {
        let mut builder = Resolver::builder_tokio().map_err(failed)?;
        tune(builder.options_mut());
        builder.build().map(Self).map_err(failed)
    }

    /// One name server at an address and port.
    ///
    /// # Errors
    /// If the resolver cannot be made.
    pub fn at(server: SocketAddr) -> Result<Self, DnsError> {
        let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = server.port());
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        tune(builder.options_mut());
        builder.build().map(Self).map_err(failed)
    }

    async fn look(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        // A final dot, so that no search domain of this machine is tried.
        let mut name = Name::from_ascii(name).map_err(failed)?;
        name.set_fqdn(true);
        match tokio::time::timeout(PATIENCE, self.0.lookup(name, kind)).await {
            Err(_) => Err(DnsError::Late),
            Ok(Ok(found)) => {
                let records = found.answers().iter().filter(|record| record.record_type() == kind);
                Ok(records.map(|record| record.data.clone()).collect())
            }
            Ok(Err(error)) if error.is_no_records_found() => Ok(Vec::new()),
            Ok(Err(error)) => Err(failed(error)),
        }
    }

    /// The texts at a name, the strings of each put together.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let text = |data: RData| match data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(self.look(name, RecordType::TXT).await?.into_iter().filter_map(text).collect())
    }

    /// The mail exchangers of a domain, the preferred first; an empty name stands for none at all (RFC 7505).
    pub async fn exchangers(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        let exchanger = |data: RData| match data {
            RData::MX(mx) => Some((mx.preference, plain(&mx.exchange))),
            _ => None,
        };
        let mut found: Vec<_> = self.look(domain, RecordType::MX).await?.into_iter().filter_map(exchanger).collect();
        found.sort();
        Ok(found.into_iter().map(|(_, name)| name).collect())
    }

    /// The addresses of a host, of both kinds.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let mut found = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            found.extend(self.look(host, kind).await?.into_iter().filter_map(|data| match data {
                RData::A(address) => Some(IpAddr::V4(address.0)),
                RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                _ => None,
            }));
        }
        Ok(found)
    }

    /// The names of an address.
    pub async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        let name = Name::from(address).to_ascii();
        let names = self.look(&name, RecordType::PTR).await?;
        Ok(names
            .into_iter()
            .filter_map(|data| if let RData::PTR(name) = data { Some(plain(&name.0)) } else { None })
            .collect())
    }
}

fn tune(options: &mut ResolverOpts) {
    options.timeout = Duration::from_secs(3);
    options.attempts = 2;
    // What this machine believes of itself is not what others see.
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
}

fn failed(error: impl ToString) -> DnsError {
    DnsError::Failed(error.to_string())
}

fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

/// Whether others can reach an address.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]); // RFC 6598
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || shared)
        }
        IpAddr::V6(v6) => {
            let local = v6.is_unique_local() || v6.is_unicast_link_local();
            !(local || v6.is_loopback() || v6.is_unspecified())
        }
    }
}

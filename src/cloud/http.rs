//! The HTTP client under the SDK: one pool of connections for all services, regions and accounts, and TLS set
//! up only when the first `https` request is made.
//!
//! The SDK's own default builds a TLS connector per client and parses the machine's root certificates for it,
//! also when every endpoint is plain `http` (the simulator, an emulator). Must not retry or pace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

type Timeouts = (Option<Duration>, Option<Duration>);

/// Whether the standard proxy variables count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, as the SDK reads them.
    FromEnvironment,
    /// None, whatever the environment says.
    Never,
}

/// The client. Connectors are kept per timeout settings: ours, and those of credential providers.
#[derive(Debug)]
pub(super) struct Http {
    proxy: Proxy,
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

impl Http {
    pub(super) fn new(proxy: Proxy) -> Self {
        Self { proxy, connectors: Mutex::default() }
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors
            .entry(timeouts)
            .or_insert_with(|| {
                SharedHttpConnector::new(Switch {
                    proxy: self.proxy,
                    settings: settings.clone(),
                    sleep: components.sleep_impl(),
                    plain: OnceLock::new(),
                    tls: OnceLock::new(),
                })
            })
            .clone()
    }
}

/// Two connectors, each made when the first request of its scheme comes.
#[derive(Debug)]
struct Switch {
    proxy: Proxy,
    settings: HttpConnectorSettings,
    sleep: Option<SharedAsyncSleep>,
    plain: OnceLock<Arc<Connector>>,
    tls: OnceLock<Arc<Connector>>,
}

impl Switch {
    fn builder(&self) -> ConnectorBuilder {
        let mut builder = Connector::builder().connector_settings(self.settings.clone());
        builder.set_sleep_impl(self.sleep.clone());
        if self.proxy == Proxy::FromEnvironment {
            builder.set_proxy_config(Some(ProxyConfig::from_env()));
        }
        builder
    }
}

impl HttpConnector for Switch {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if request.uri().starts_with("http:") {
            self.plain.get_or_init(|| Arc::new(self.builder().build_http()))
        } else {
            self.tls.get_or_init(|| {
                let provider = Provider::Rustls(CryptoMode::AwsLc);
                Arc::new(self.builder().tls_provider(provider).build())
            })
        };
        connector.call(request)
    }
}

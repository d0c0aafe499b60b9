//! What the way to a remote server is like: TLS, and a proxy. Both are told by the environment, so that each of these tests
//! runs once more, as a process of its own.

use crate::kit::Kit;
use axum::http::header;
use bridge::Error;
use futures::FutureExt as _;
use model::{ServerSpec, Transport};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Where the second process finds what the first one serves.
const SERVED: &str = "TTA_TEST_SERVED";

fn kit(url: &str) -> Kit {
    let transport = Transport::Http { url: url.to_owned(), headers: [].into(), sse: false };
    let spec = ServerSpec { transport, ..crate::faulty::faulty_spec("s", "") };
    Kit::new(vec![spec, crate::faulty::faulty_spec("neighbour", "ok")])
}

/// This test once more, in a process with these variables; or what it is to look at, where this is that process.
async fn served(test: &str, variables: &[(&str, &str)], value: &Value) {
    let mut process = tokio::process::Command::new(std::env::current_exe().expect("a test has a path"));
    process.args(["--exact", "--nocapture", test]).env(SERVED, value.to_string()).stdin(Stdio::null());
    for (name, value) in variables {
        process.env(name, value);
    }
    let output = process.output().await.expect("it runs");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn served_here() -> Option<Value> {
    serde_json::from_str(&std::env::var(SERVED).ok()?).ok()
}

/// An honest server of one tool, over whatever stream.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let result = match message["method"].as_str().unwrap_or_default() {
            "initialize" => json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "wired", "version": "1"},
            }),
            "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
            "tools/call" => json!({"content": [], "structuredContent": message["params"]["arguments"]}),
            _ => Value::Null,
        };
        let answer = match (&message["id"], &result) {
            (Value::Null, _) => String::new(),
            (id, Value::Null) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32_601, "message": "?"}}).to_string()
            }
            (id, result) => json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string(),
        };
        let status = if answer.is_empty() { "202 Accepted" } else { "200 OK" };
        let kind = format!("{}: application/json", header::CONTENT_TYPE);
        let reply = format!("HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}

/// A server that shows this certificate; its URL.
async fn serve_tls(params: CertificateParams, issuer: Option<&Issuer<'_, KeyPair>>) -> String {
    let key = KeyPair::generate().expect("a key");
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let certificate = certificate.expect("a certificate").der().clone();
    let config =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("they fit")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { converse(acceptor.accept(stream).await.ok()?).await });
        }
    });
    format!("https://localhost:{port}/mcp")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_wrong_is_said_to_be() {
    if let Some(served) = served_here() {
        for (url, expected) in served.as_object().expect("URLs") {
            let expected = expected.as_str().expect("a text");
            let kit = kit(url);
            if expected.is_empty() {
                assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}), "the good one is trusted");
                continue;
            }
            let error = kit.bridge.tools("s").await.expect_err("not trusted");
            let Error::Handshake { server, why, .. } = &error else { panic!("{error}") };
            assert!(server == "s" && why.contains("certificate") && why.contains(expected), "{error}");
            kit.neighbour_answers().await;
        }
        return;
    }
    let params = |name: &str| CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let mut authority = params("authority.test");
    // Or else what signed itself would seem to come from it.
    authority.distinguished_name.push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("trusted.pem");
    std::fs::write(&trusted, authority.self_signed(&key).expect("a certificate").pem()).expect("written");
    let authority = Issuer::new(authority, key);
    let mut expired = params("localhost");
    (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let value = json!({
        serve_tls(params("localhost"), Some(&authority)).await: "",
        serve_tls(params("localhost"), None).await: "UnknownIssuer",
        serve_tls(params("elsewhere.test"), Some(&authority)).await: "not valid for name",
        serve_tls(expired, Some(&authority)).await: "expired",
    });
    let trusted = trusted.to_str().expect("UTF-8");
    served("wire::a_certificate_that_is_wrong_is_said_to_be", &[("SSL_CERT_FILE", trusted)], &value).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_leaves_this_machine_passes_a_proxy() {
    if let Some(served) = served_here() {
        let here = kit(served["here"].as_str().expect("a URL"));
        assert_eq!(here.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
        kit("http://remote.test/mcp").bridge.tools("s").await.expect_err("the proxy hangs up");
        return;
    }
    let [here, proxy] = [TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await]
        .map(|listener| listener.expect("a port"));
    let [url, proxy_url] =
        [&here, &proxy].map(|listener| format!("http://{}", listener.local_addr().expect("an address")));
    tokio::spawn(async move {
        while let Ok((stream, _)) = here.accept().await {
            tokio::spawn(converse(stream));
        }
    });
    let variables =
        [("HTTP_PROXY", proxy_url.as_str()), ("http_proxy", &proxy_url), ("NO_PROXY", ""), ("no_proxy", "")];
    let value = json!({"here": format!("{url}/mcp")});
    let test = served("wire::only_what_leaves_this_machine_passes_a_proxy", &variables, &value);
    let mut test = std::pin::pin!(test.fuse());
    let mut asked = Vec::new();
    loop {
        tokio::select! {
            () = &mut test => break,
            accepted = proxy.accept() => asked.push(first_line(accepted.expect("a connection").0).await),
        }
    }
    assert!(!asked.is_empty() && asked.iter().all(|line| line.contains(" http://remote.test/mcp ")), "{asked:?}");
}

async fn first_line(stream: TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.expect("a request");
    line
}

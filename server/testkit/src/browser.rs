//! A browser that does what a person's would on the way through a login: it follows one redirect and reads the page.

use std::fmt::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a page answered.
#[derive(Debug)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Where it sends the browser.
    pub location: Option<String>,
    /// Its text.
    pub body: String,
}

/// Opens a page of this machine, without following where it leads. `headers` are added to the request.
///
/// # Panics
/// Where nobody answers HTTP there.
pub async fn open_page(url: &str, headers: &[(&str, &str)]) -> Page {
    let url = url::Url::parse(url).expect("a URL");
    let authority = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = TcpStream::connect(&authority).await.expect("somebody listens");
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = headers.iter().find(|(name, _)| *name == "host").map_or(authority.as_str(), |(_, host)| host);
    let mut request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    Page { status, location, body: body.to_owned() }
}

/// Logs in on a login's page: follows it to where it leads, and returns what is shown there.
///
/// # Panics
/// Where the page leads nowhere.
pub async fn log_in(url: &str) -> Page {
    let page = open_page(url, &[]).await;
    let back = page.location.unwrap_or_else(|| panic!("the login page answers {}: {}", page.status, page.body));
    open_page(&back, &[]).await
}

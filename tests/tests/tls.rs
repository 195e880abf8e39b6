//! TLS as people meet it: a node with a certificate of its own, and one that is given.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail like tests; clippy knows only functions marked as tests"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ProtocolVersion};
use tongban_tests::city::City;
use tongban_tests::client::{Ask, Client, tls_config};
use tongban_tests::process::{ask_tongban, program, run, until};

const LIMIT: Duration = Duration::from_mins(1);

/// The first machine of a city, with TLS; a group of three needs a second for what it decides.
fn city(http: &str) -> City {
    let folder = tempfile::Builder::new()
        .prefix("tongban-tls-")
        .tempdir()
        .unwrap();
    let city = City::prepare(folder, "").unwrap();
    city.rewrite(0, "tls = \"off\"", http).unwrap();
    city
}

/// What a handshake with these words of ALPN comes to: the version of TLS and the word chosen.
fn shake(at: SocketAddr, roots: &Path, alpn: &[&str]) -> Result<(ProtocolVersion, Vec<u8>)> {
    let config = Arc::new(tls_config(roots, alpn)?);
    let mut session = ClientConnection::new(config, ServerName::from(at.ip()))?;
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(LIMIT))?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    let version = session.protocol_version().context("a version")?;
    Ok((
        version,
        session.alpn_protocol().unwrap_or_default().to_vec(),
    ))
}

fn until_there(at: SocketAddr, roots: &Path) {
    until(LIMIT, "the API answers over TLS", || {
        Ok(shake(at, roots, &["h2"]).ok())
    })
    .unwrap();
}

/// Makes a pair with openssl, as an operator's authority would.
fn make_pair(folder: &Path, name: &str) {
    let (certificate, key) = (
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    let settings = folder.join("openssl.conf");
    let text = "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n[dn]\nCN = api\n\
                [ext]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n";
    fs::write(&settings, text).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config",
    ]);
    openssl.arg(&settings);
    openssl
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    let ended = run(openssl, LIMIT).unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_node_speaks_tls_from_its_first_start_and_only_who_holds_its_certificate_trusts_it() {
    let mut city = city("tls = \"on\"");
    let (at, data) = (city.machines[0].http, city.machines[0].data.clone());
    let token = city.token(0, "operator", "op").unwrap();
    city.start(0).unwrap();
    let own = data.join("tls/certificate.pem");
    until_there(at, &own);

    // HTTP/2 where the client speaks it, HTTP/1.1 where not; TLS 1.3.
    let chosen = |alpn: &[&str]| shake(at, &own, alpn).unwrap();
    assert_eq!(
        chosen(&["h2", "http/1.1"]),
        (ProtocolVersion::TLSv1_3, b"h2".to_vec())
    );
    assert_eq!(chosen(&["http/1.1"]).1, b"http/1.1");
    assert!(shake(at, &own, &["http/1.0-ish"]).is_err());

    // Another's certificate is not believed, and nothing is sent in the clear.
    make_pair(data.parent().unwrap(), "other");
    let other = data.parent().unwrap().join("other.pem");
    assert!(shake(at, &other, &["h2"]).is_err());
    let mut clear = TcpStream::connect(at).unwrap();
    clear.set_read_timeout(Some(LIMIT)).unwrap();
    clear
        .write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut said = Vec::new();
    let _ = clear.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");

    let mut operator = Client::over_tls(at, &token, &own).unwrap();
    let live = operator.ask(&Ask::get("/livez").anonymous()).unwrap();
    assert_eq!(live.status, 200, "{live}");

    // The command line by the data folder, by a file of trust, and not by another's.
    let folder = data.to_str().unwrap();
    let (status, answer) = ask_tongban(&["status", "--data", folder]).unwrap();
    assert!([Some(0), Some(3)].contains(&status), "{status:?} {answer}");
    assert_eq!(answer["node"], "350100-01", "{answer}");
    let url = format!("https://{at}");
    let ask = |ca: &Path| {
        let ca = ca.to_str().unwrap();
        ask_tongban(&["status", "--url", &url, "--token", &token, "--ca", ca]).unwrap()
    };
    assert_eq!(ask(&own).1["node"], "350100-01");
    let (status, refused) = ask(&other);
    assert_eq!(
        (status, &refused["code"]),
        (Some(7), &"TB8053".into()),
        "{refused}"
    );

    // By its fingerprint, as whoever connects from elsewhere compares it.
    let said = fs::read_to_string(data.join("ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&said).unwrap();
    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&own);
    let shown = run(openssl, LIMIT).unwrap().stdout;
    let shown: String = shown.split('=').nth(1).unwrap().trim().split(':').collect();
    assert_eq!(ready["fingerprint"], shown.to_lowercase());
    city.end(0).unwrap();
}

#[test]
fn http_2_and_the_versions_of_tls_are_as_curl_finds_them() {
    let mut city = city("tls = \"on\"");
    let (at, data) = (city.machines[0].http, city.machines[0].data.clone());
    city.start(0).unwrap();
    let own = data.join("tls/certificate.pem");
    until_there(at, &own);
    let curl = |extra: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_version} %{http_code}",
            "--cacert",
        ]);
        curl.arg(&own)
            .args(extra)
            .arg(format!("https://{at}/livez"));
        run(curl, LIMIT).unwrap()
    };
    assert_eq!(curl(&[]).stdout, "2 200");
    assert_eq!(curl(&["--http1.1"]).stdout, "1.1 200");
    assert_eq!(curl(&["--tls-max", "1.2"]).stdout, "2 200");
    assert_ne!(curl(&["--tls-max", "1.1"]).code, Some(0));
    city.end(0).unwrap();
}

#[test]
fn a_given_certificate_is_served_and_a_renewed_one_taken_up() {
    let mut city = city("certificate = \"api.pem\"\nkey = \"api.key\"");
    let (at, data) = (city.machines[0].http, city.machines[0].data.clone());
    let beside = data.parent().unwrap().to_path_buf();
    make_pair(&beside, "api");
    make_pair(&beside, "next");
    city.start(0).unwrap();
    until_there(at, &beside.join("api.pem"));
    assert!(!data.join("tls").exists(), "none of its own is made");
    for kind in ["key", "pem"] {
        fs::rename(
            beside.join(format!("next.{kind}")),
            beside.join(format!("api.{kind}")),
        )
        .unwrap();
    }
    until_there(at, &beside.join("api.pem"));
    city.end(0).unwrap();
}

#[test]
fn another_certificate_and_other_rates_are_taken_up_without_a_restart() -> Result<()> {
    let mut city = city("certificate = \"api.pem\"\nkey = \"api.key\"");
    let (at, data) = (city.machines[0].http, city.machines[0].data.clone());
    let beside = data.parent().context("a folder")?.to_path_buf();
    make_pair(&beside, "api");
    make_pair(&beside, "other");
    let token = city.token(0, "operator", "op")?;
    city.start(0)?;
    until_there(at, &beside.join("api.pem"));
    let expiry = |roots: &Path| -> Result<i64> {
        let page = Client::over_tls(at, &token, roots)?.ask(&Ask::get("/metrics"))?;
        let name = "tongban_tls_certificate_expiry_timestamp_seconds ";
        let text = String::from_utf8_lossy(&page.body).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.context("no such metric")?.parse()?)
    };
    let in_days = |end: i64| -> Result<i64> {
        let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
        Ok((end - i64::try_from(now)?) / 86_400)
    };
    ensure!((28..=30).contains(&in_days(expiry(&beside.join("api.pem"))?)?));

    let config = beside.join("node.toml");
    let config = config.to_str().context("UTF-8")?;
    let told = |verb: &str| ask_tongban(&["config", verb, "--config", config]);
    // A key that is not the certificate's: nothing changes.
    city.rewrite(
        0,
        "certificate = \"api.pem\"",
        "certificate = \"other.pem\"",
    )?;
    let (status, refused) = told("reload")?;
    ensure!(status == Some(78), "{refused}");
    ensure!(refused["code"] == "TB8013", "{refused}");
    let next = refused["next"].as_str().context("a next command")?;
    ensure!(next == format!("tongban doctor --config {config}"));
    shake(at, &beside.join("api.pem"), &["h2"])?;

    let rates = "key = \"other.key\"\nreads_per_second = 1";
    city.rewrite(0, "key = \"api.key\"", rates)?;
    let (_, checked) = told("check")?;
    let changes = checked["changes"].as_array().context("changes")?;
    ensure!(changes.len() == 3, "{checked}");
    ensure!(
        changes.iter().all(|one| one["needs_restart"] == false),
        "{checked}"
    );
    let (status, reloaded) = told("reload")?;
    ensure!(status == Some(0), "{reloaded}");
    let other = beside.join("other.pem");
    shake(at, &other, &["h2"])?;
    ensure!(shake(at, &beside.join("api.pem"), &["h2"]).is_err());
    let ready = fs::read_to_string(data.join("ready.json"))?;
    ensure!(ready.contains("other.pem"), "{ready}");
    // More than two seconds' worth at once is too much now.
    let mut reader = Client::over_tls(at, &token, &other)?;
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(reader.ask(&Ask::get("/api/v1/status"))?.status == 429);
    }
    ensure!(refused > 0, "twenty readings at once are taken");

    city.rewrite(0, "other.key\"", "other.key\"\nnames = [\"api.example\"]")?;
    let (_, checked) = told("check")?;
    let waiting = &checked["changes"][0];
    ensure!(
        waiting["key"] == "http.names" && waiting["needs_restart"] == true,
        "{checked}"
    );
    city.end(0)?;
    Ok(())
}

#[test]
fn a_configuration_whose_certificate_is_none_does_not_start() -> Result<()> {
    let city = city("certificate = \"api.pem\"\nkey = \"api.key\"");
    let data = city.machines[0].data.clone();
    let beside = data.parent().unwrap().to_path_buf();
    fs::write(beside.join("api.pem"), "none")?;
    fs::write(beside.join("api.key"), "none")?;
    let mut up = Command::new(program()?);
    up.args(["up", "--config"]).arg(beside.join("node.toml"));
    let ended = run(up, LIMIT)?;
    ensure!(ended.code == Some(78), "{ended:?}");
    ensure!(ended.stderr.contains("TB8013"), "{ended:?}");
    Ok(())
}

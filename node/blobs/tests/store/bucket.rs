//! A bucket of somebody else's making: moto, which answers as S3 does. `tests/tools` brings it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use tongban_blobs::S3Settings;

use super::*;

/// A server of buckets, which goes with the test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts it on a port the system chooses, which it names on stderr.
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        let program = target.join("tools/bin/moto_server");
        let mut child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: run tests/tools", program.display()));
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
            if let Some((_, address)) = line.trim().split_once("Running on http://") {
                break address.parse().unwrap();
            }
        };
        // It names every request there; nobody reading must not stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address }
    }

    /// Makes a bucket, as its owner does.
    fn make(&self, bucket: &str) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!(
            "PUT /{bucket} HTTP/1.0\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    fn settings(&self, bucket: &str, node: &str) -> ShelfSettings {
        ShelfSettings::S3(S3Settings {
            endpoint: Some(format!("http://{}", self.address)),
            region: "us-east-1".to_owned(),
            bucket: bucket.to_owned(),
            node: node.to_owned(),
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_lies_in_a_bucket_and_nowhere_else_and_is_read_in_verified_ranges() {
    let server = Server::start();
    server.make("weinan");
    let folder = TempDir::new().unwrap();
    let settings = server.settings("weinan", "610500-01");
    let open = || Blobs::open(folder.path(), &settings, space(None));
    let store = open().await.unwrap();
    for (number, size) in [0, 16_385, 40_000_000].into_iter().enumerate() {
        let bytes = file(size);
        let id = UploadId([u8::try_from(number).unwrap(); 16]);
        let blob = put(&store, id, &bytes).await;
        assert_eq!(blob, hash(&bytes));
        assert_eq!(whole(&store, blob, size as u64).await.unwrap(), bytes);
    }
    assert!(lies(folder.path(), "whole").is_empty());
    drop(store);

    let bytes = file(40_000_000);
    let again = open().await.unwrap();
    assert_eq!(again.size_of(hash(&bytes)).await.unwrap(), Some(40_000_000));
    let middle = again.read(hash(&bytes), 20 * MIB, MIB).await.unwrap();
    assert_eq!(middle[..], bytes[20 << 20..21 << 20]);

    // Another node of the city has its own files there, and none of the first one's.
    let other = TempDir::new().unwrap();
    let settings = server.settings("weinan", "610500-02");
    let second = Blobs::open(other.path(), &settings, space(None))
        .await
        .unwrap();
    assert_eq!(second.size_of(hash(&bytes)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_there_refuses_a_file_and_leaves_the_upload_as_it_was() {
    let server = Server::start();
    let folder = TempDir::new().unwrap();
    let settings = server.settings("nowhere", "610500-01");
    let store = Blobs::open(folder.path(), &settings, space(None))
        .await
        .unwrap();
    let bytes = file(100_000);
    let begun = store.begin_upload(ID, ME, 100_000, Timestamp::default());
    begun.await.unwrap();
    append(&store, ID, 0, &bytes).await;
    assert!(store.commit(ID).await.is_err());
    assert_eq!(store.size_of(hash(&bytes)).await.unwrap(), None);
    // Its owner makes it, and the upload ends where it stood.
    server.make("nowhere");
    assert_eq!(store.commit(ID).await.unwrap().blob, Some(hash(&bytes)));
    assert_eq!(whole(&store, hash(&bytes), 100_000).await.unwrap(), bytes);
}

//! A pooler in transaction mode between the program and the server.
//!
//! This one has a single server connection, which it lends to a client for the length of a transaction, as
//! PgBouncer does with `pool_mode = transaction`.

use std::sync::Arc;

use migration_runner::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use super::{Three, runner, tables};
use crate::harness::{Database, TestDb};

/// The one server connection, and what the server said when it was opened.
struct Server {
    stream: TcpStream,
    greeting: Vec<u8>,
}

/// One message: its kind, and all of it.
async fn message(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut whole = head.to_vec();
    whole.resize(length + 1, 0);
    stream.read_exact(&mut whole[5..]).await?;
    Ok((head[0], whole))
}

/// The first message, which has no kind; a wish for TLS is declined.
async fn startup(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut rest = vec![0; length as usize - 4];
        client.read_exact(&mut rest).await?;
        if length == 8 {
            client.write_all(b"N").await?;
            continue;
        }
        return Ok([&length.to_be_bytes()[..], &rest].concat());
    }
}

/// Opens the server connection on behalf of the first client, whose password goes through.
async fn open(address: &str, client: &mut TcpStream, startup: &[u8]) -> std::io::Result<Server> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(startup).await?;
    let mut greeting = Vec::new();
    loop {
        let (kind, whole) = message(&mut stream).await?;
        client.write_all(&whole).await?;
        let is_ok = whole[5..] == [0, 0, 0, 0] || kind != b'R';
        if is_ok {
            greeting.extend(&whole);
        } else if !matches!(whole[8], 12) {
            let (_, answer) = message(client).await?;
            stream.write_all(&answer).await?;
        }
        if kind == b'Z' {
            return Ok(Server { stream, greeting });
        }
    }
}

async fn serve(
    address: String,
    shared: Arc<Mutex<Option<Server>>>,
    mut client: TcpStream,
) -> std::io::Result<()> {
    let startup = startup(&mut client).await?;
    {
        let mut server = shared.lock().await;
        match server.as_ref() {
            Some(server) => client.write_all(&server.greeting).await?,
            None => *server = Some(open(&address, &mut client, &startup).await?),
        }
    }
    loop {
        let (mut kind, mut whole) = message(&mut client).await?;
        if kind == b'X' {
            return Ok(());
        }
        let mut server = shared.lock().await;
        let Some(server) = server.as_mut() else { return Ok(()) };
        // Until the server says that it is outside a transaction, it is this client's.
        'lent: loop {
            server.stream.write_all(&whole).await?;
            if matches!(kind, b'Q' | b'S') {
                loop {
                    let (answer, whole) = message(&mut server.stream).await?;
                    client.write_all(&whole).await?;
                    match (answer, whole.last()) {
                        (b'Z', Some(b'I')) => break 'lent,
                        (b'Z', _) => break,
                        _ => {}
                    }
                }
            }
            (kind, whole) = message(&mut client).await?;
        }
    }
}

/// Starts it before the server of `url`; the URL to come in by.
async fn pooler(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let address = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        let shared = Arc::new(Mutex::new(None));
        while let Ok((client, _)) = listener.accept().await {
            let (address, shared) = (address.clone(), Arc::clone(&shared));
            // A client that goes away in the middle is none of the pooler's business.
            tokio::spawn(async move { drop(serve(address, shared, client).await) });
        }
    });
    url.into()
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_recognised_and_refused_with_what_to_set() {
    let db = TestDb::empty(Database::Ardb).await;
    let mut options = sea_orm::ConnectOptions::new(pooler(db.url()).await);
    options.max_connections(1).sqlx_logging(false).test_before_acquire(false);
    let pooled = sea_orm::Database::connect(options).await.unwrap();
    let error = runner::<Three>().up(&pooled).await.unwrap_err();
    assert!(matches!(error, Error::Pooled { .. }), "{error}");
    assert!(error.to_string().contains("pool_mode = session"), "{error}");
    assert_eq!(tables(&db).await, [""; 0]);
}

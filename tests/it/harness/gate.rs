//! A door between a client and a server, which a test closes and opens.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on to a server while it is open. Closing ends those that there are.
#[derive(Debug)]
pub struct Gate {
    /// The server's URL, through the gate.
    pub url: String,
    is_open: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// A gate to the server of `url`.
    pub async fn open(url: &str) -> Self {
        let (before, after) = url.split_once('@').expect("the URL has a user");
        let (server, database) = after.split_once('/').expect("the URL has a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let is_open = Arc::new(watch::Sender::new(true));
        let (state, server) = (is_open.clone(), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let is_open = state.subscribe();
                if *is_open.borrow()
                    && let Ok(server) = TcpStream::connect(&server).await
                {
                    tokio::spawn(pass(client, server, is_open));
                }
            }
        });
        Self { url: format!("{before}@{address}/{database}"), is_open }
    }

    /// Whether anybody comes through. Closing it ends what goes through.
    pub fn set_open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, mut is_open: watch::Receiver<bool>) {
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = is_open.wait_for(|is_open| !*is_open) => {}
    }
}

//! The server of `bench/feed-server.mjs` as others' libraries make it: `depthwire-feed-peers KIND [FRAMES]`. Without
//! prebuilt frames what comes in is published as it is, as `depthwire bench wire --beside` wants it.
//!
//! Kinds: `tungstenite` and `fastwebsockets`. One thread; a task a subscriber takes what a broadcast channel holds, writes all of it
//! and flushes once, so that several frames share a system call as they do elsewhere. Ends with its standard input.

use std::io::Read;
use std::sync::Arc;

use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Frames that a subscriber may be behind.
const WAITING_MAX: usize = 65_536;
const ACKNOWLEDGEMENT: &str = r#"{"op":"subscribed"}"#;
/// Answers the key of `depthwire-load`, sixteen zero bytes, which does not look at it.
const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone, Copy)]
enum Kind {
    Tungstenite,
    FastWebSockets,
}

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: depthwire-feed-peers tungstenite|fastwebsockets [FRAMES]";
    let (kind, file) = match args.as_slice() {
        [kind, file @ ..] if kind == "tungstenite" => (Kind::Tungstenite, file),
        [kind, file @ ..] if kind == "fastwebsockets" => (Kind::FastWebSockets, file),
        _ => return Err(usage.into()),
    };
    let frames = match file {
        [] => Vec::new(),
        [file] => frames_of(&std::fs::read(file)?),
        _ => return Err(usage.into()),
    };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(serve(kind, frames))
}

fn frames_of(mut bytes: &[u8]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<4>() {
        let (frame, rest) = rest.split_at(u32::from_le_bytes(*size) as usize);
        frames.push(Bytes::copy_from_slice(frame));
        bytes = rest;
    }
    frames
}

async fn serve(kind: Kind, frames: Vec<Bytes>) -> Outcome {
    let feed = TcpListener::bind("127.0.0.1:0").await?;
    let input = TcpListener::bind("127.0.0.1:0").await?;
    println!(r#"{{"feed":{},"input":{}}}"#, feed.local_addr()?.port(), input.local_addr()?.port());
    let (sender, _) = broadcast::channel::<Bytes>(WAITING_MAX);
    let sender = Arc::new(sender);
    let publisher = Arc::clone(&sender);
    tokio::spawn(async move {
        let mut at = 0;
        while let Ok((stream, _)) = input.accept().await {
            let _ = publish(stream, &frames, &mut at, &publisher).await;
        }
    });
    loop {
        let (stream, _) = feed.accept().await?;
        stream.set_nodelay(true)?;
        let sender = Arc::clone(&sender);
        tokio::spawn(async move {
            let _ = match kind {
                Kind::Tungstenite => tungstenite(stream, &sender).await,
                Kind::FastWebSockets => fast_web_sockets(stream, &sender).await,
            };
        });
    }
}

/// Publishes one frame for each record: the next prebuilt one, or the record.
async fn publish(mut stream: TcpStream, frames: &[Bytes], at: &mut usize, sender: &Sender<Bytes>) -> Outcome {
    let mut bytes = Vec::with_capacity(1 << 16);
    while stream.read_buf(&mut bytes).await? > 0 {
        let mut rest = bytes.as_slice();
        while let Some((size, after)) = rest.split_first_chunk::<4>() {
            let Some((record, after)) = after.split_at_checked(u32::from_le_bytes(*size) as usize) else { break };
            let prebuilt = frames.get(*at % frames.len().max(1)).cloned();
            let _ = sender.send(prebuilt.unwrap_or_else(|| Bytes::copy_from_slice(record)));
            *at += 1;
            rest = after;
        }
        let used = bytes.len() - rest.len();
        bytes.drain(..used);
    }
    Ok(())
}

async fn tungstenite(stream: TcpStream, sender: &Sender<Bytes>) -> Outcome {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    while !matches!(socket.next().await.ok_or("gone")??, Message::Text(_)) {}
    let mut frames = sender.subscribe();
    socket.send(Message::text(ACKNOWLEDGEMENT)).await?;
    loop {
        let mut next = Some(frames.recv().await?);
        while let Some(frame) = next {
            socket.feed(Message::Binary(frame)).await?;
            next = waiting(&mut frames)?;
        }
        socket.flush().await?;
    }
}

async fn fast_web_sockets(mut stream: TcpStream, sender: &Sender<Bytes>) -> Outcome {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(UPGRADED.as_bytes()).await?;
    let mut socket = WebSocket::after_handshake(BufStream::with_capacity(4_096, 16_384, stream), Role::Server);
    while socket.read_frame().await?.opcode != OpCode::Text {}
    let mut frames = sender.subscribe();
    socket.write_frame(Frame::text(Payload::Borrowed(ACKNOWLEDGEMENT.as_bytes()))).await?;
    socket.flush().await?;
    loop {
        let mut next = Some(frames.recv().await?);
        while let Some(frame) = next {
            socket.write_frame(Frame::binary(Payload::Borrowed(&frame))).await?;
            next = waiting(&mut frames)?;
        }
        socket.flush().await?;
    }
}

/// The next frame if one waits.
fn waiting(frames: &mut Receiver<Bytes>) -> Outcome<Option<Bytes>> {
    match frames.try_recv() {
        Ok(frame) => Ok(Some(frame)),
        Err(broadcast::error::TryRecvError::Empty) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

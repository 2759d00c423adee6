//! The issuer's sockets and signals: one thread, and everything that others can make it hold is bounded.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use jwt_warden::log::quote;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::answer::{Answer, Asked};
use super::service::Service;
use crate::signals::{Signals, Wish};
use crate::{Stop, clock, output};

const MAX_CONNECTIONS: usize = 256;
const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_BODY_BYTES: usize = 64 << 10;
/// How long a head, and then a body, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long answers under way may take at the end.
const GRACE: Duration = Duration::from_secs(3);

/// Serves until a signal ends it; greets once it does, and signals are heeded.
pub(super) fn serve(listener: TcpListener, service: Service, greeting: &str) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot serve: {error}"))?;
    LocalSet::new().block_on(&runtime, run(listener, Rc::new(RefCell::new(service)), greeting))
}

async fn run(listener: TcpListener, service: Rc<RefCell<Service>>, greeting: &str) -> Result<(), Stop> {
    let unusable = |error| format!("cannot serve: {error}");
    listener.set_nonblocking(true).map_err(unusable)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(unusable)?;
    let mut signals = Signals::new().map_err(unusable)?;
    output::line(greeting);
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.count() < MAX_CONNECTIONS => open(stream, &connections, &service),
                // Too many: this one is closed. No file descriptors: there will be some again.
                Ok(_) => {}
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
            wish = signals.next() => match wish {
                Wish::Rotate => {
                    let outcome = service.borrow_mut().rotate();
                    output::line(&outcome.unwrap_or_else(|error| format!("not rotated: {error}")));
                }
                Wish::End => break,
            },
        }
    }
    drop(listener);
    output::line("ended");
    let _ = timeout(GRACE, connections.shutdown()).await;
    Ok(())
}

fn open(stream: TcpStream, connections: &GracefulShutdown, service: &Rc<RefCell<Service>>) {
    let service = Rc::clone(service);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| handle(request, Rc::clone(&service))));
    let connection = connections.watch(connection);
    // A connection that breaks off is its client's affair.
    tokio::task::spawn_local(async move { drop(connection.await) });
}

async fn handle(
    request: Request<Incoming>,
    service: Rc<RefCell<Service>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let answer = match timeout(PATIENCE, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => {
            let asked = Asked {
                method: head.method.as_str(),
                path: head.uri.path(),
                host: text(HOST),
                is_from_page: head.headers.contains_key(ORIGIN) || head.headers.contains_key("sec-fetch-site"),
                content_type: text(CONTENT_TYPE),
                body: &body.to_bytes(),
            };
            service.borrow_mut().answer(&asked, clock::now())
        }
        Ok(Err(_)) => Answer::refusal(413, "the body is larger than 64 KiB, or broke off"),
        Err(_) => Answer::refusal(408, "the body did not come in time"),
    };
    let (method, path) = (quote(head.method.as_str().as_bytes()), quote(head.uri.path().as_bytes()));
    output::line(&format!("request method={method} path={path} status={}{}", answer.status, answer.note));
    Ok(response(&answer))
}

fn response(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body.to_string() + "\n"));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.extend(HeaderValue::from_str(&answer.cache_control).ok().map(|value| (CACHE_CONTROL, value)));
    headers.extend(answer.allow.map(|methods| (ALLOW, HeaderValue::from_static(methods))));
    response
}

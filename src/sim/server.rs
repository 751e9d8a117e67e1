//! The HTTP server: our own listener under hyper, because resets and cut bodies need the socket.
//!
//! Must not know operations: it routes, throttles, breaks what it is told to break, and writes answers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::http::{HeaderValue, header};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::sim::fault::{Faults, Kind};
use crate::sim::query::Fields;
use crate::sim::reply::{ApiError, Reply};
use crate::sim::route::{Call, Protocol, route};
use crate::sim::sigv4::Authorization;
use crate::sim::throttle::Buckets;
use crate::sim::world::World;
use crate::sim::{
    autoscaling, cloudtrail, cloudwatch, control, ecr, ecs, elasticache, elbv2, iam, logs, rds,
    secretsmanager, ssm, sts,
};
use crate::stdx::clock::{Clock, Wall};

mod payload;

use payload::Payload;

/// Larger requests are refused; AWS's own limits are far below.
const MOST_BODY: usize = 4 << 20;

/// So many requests to change something are remembered.
const MOST_MUTATIONS: usize = 10_000;

/// What all connections share.
pub struct Shared {
    /// The one clock.
    pub clock: Clock,
    /// Added to every answer.
    pub delay: Duration,
    /// Whether the throttle buckets are in force.
    pub throttle: bool,
    /// The secret that signatures must be made with; `None` accepts anything.
    pub secret: Option<String>,
    state: Mutex<State>,
}

/// What changes with requests.
pub struct State {
    /// The world behind the services.
    pub world: World,
    /// Faults in force.
    pub faults: Faults,
    /// Calls seen so far, by `service:Operation`.
    pub calls: BTreeMap<String, u64>,
    /// The newest of those that were to change something, whatever became of them.
    pub mutations: VecDeque<Mutation>,
    buckets: Buckets,
    sessions: HashMap<String, logs::Sessions>,
    requests: u64,
}

/// A request to change something, as it came: before any fault, and before it was carried out or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// When it came.
    pub at: Wall,
    /// The region it was for.
    pub region: String,
    /// `ecs:UpdateService`.
    pub action: String,
    /// What it asked for, without secrets.
    pub input: Value,
}

impl State {
    fn note(&mut self, clock: &Clock, call: &Call) {
        let action = format!("{}:{}", call.service, call.operation);
        if cloudtrail::record::changes(&call.operation) {
            let input = cloudtrail::record::asked(call);
            let (at, region) = (clock.now().wall, call.region.clone());
            self.mutations.push_back(Mutation { at, region, action: action.clone(), input });
            if self.mutations.len() > MOST_MUTATIONS {
                self.mutations.pop_front();
            }
        }
        *self.calls.entry(action).or_default() += 1;
    }
}

impl Shared {
    /// Puts a server's state together.
    #[must_use]
    pub fn new(clock: Clock, world: World, faults: Faults) -> Self {
        let state = State {
            world,
            faults,
            calls: BTreeMap::new(),
            mutations: VecDeque::new(),
            buckets: Buckets::default(),
            sessions: HashMap::new(),
            requests: 0,
        };
        Self { clock, delay: Duration::ZERO, throttle: false, secret: None, state: Mutex::new(state) }
    }

    /// The state, for one short turn. No holder panics half way through a change that others could see,
    /// so a poisoned lock is taken over.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections until the task is aborted; aborting it ends all of them.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(Notify::new());
    let service = service_fn(|request| answer(Arc::clone(&shared), Arc::clone(&cut), request));
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = &mut connection => {}
        () = cut.notified() => {
            // Without lingering, closing sends RST instead of FIN.
            let _ = connection.into_parts().io.into_inner().set_zero_linger();
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    cut: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Infallible> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let error = ApiError::new(413, "RequestEntityTooLarge", "Request size exceeded the limit.");
            return Ok(write(&shared, Protocol::Json, Err(error), None));
        }
    };
    if head.uri.path().starts_with("/_sim/") {
        let (status, value) = control::handle(&shared, &head, &body);
        return Ok(plain(&shared, status, &value));
    }
    match exchange(&shared, &head, body).await {
        Outcome::Answer(response) => Ok(response),
        Outcome::Reset => {
            cut.notify_one();
            std::future::pending().await
        }
        Outcome::Silence => std::future::pending().await,
    }
}

enum Outcome {
    Answer(Response<Payload>),
    Reset,
    Silence,
}

async fn exchange(shared: &Arc<Shared>, head: &Parts, body: Bytes) -> Outcome {
    let authorization = Authorization::of(head);
    let call = match route(head, authorization.as_ref(), body) {
        Ok(call) => call,
        Err(error) => return Outcome::Answer(write(shared, Protocol::Json, Err(error), None)),
    };
    if shared.delay > Duration::ZERO {
        shared.clock.sleep(shared.delay).await;
    }
    let strikes = {
        let mut state = shared.state();
        // An incident may have brought faults by now.
        state.world.advance(shared.clock.now().wall);
        for rule in std::mem::take(&mut state.world.faults_due) {
            let _ = state.faults.add(rule);
        }
        state.note(&shared.clock, &call);
        state.faults.strike(&call.service, &call.operation)
    };
    let before = match suffer(shared, &call, strikes.iter().filter(|(_, after)| !after)).await {
        Ok(cut) => cut,
        Err(Ok(error)) => return Outcome::Answer(write(shared, call.protocol, Err(error), Some(&call))),
        Err(Err(outcome)) => return outcome,
    };
    let result = admit(shared, head, authorization.as_ref(), &call)
        .and_then(|()| recorded(shared, head, &call, act(shared, authorization.as_ref(), &call)));
    let after = match suffer(shared, &call, strikes.iter().filter(|(_, after)| *after)).await {
        Ok(cut) => cut,
        Err(Ok(error)) => return Outcome::Answer(write(shared, call.protocol, Err(error), Some(&call))),
        Err(Err(outcome)) => return outcome,
    };
    let mut response = write(shared, call.protocol, result, Some(&call));
    if before || after {
        response.body_mut().truncate();
    }
    Outcome::Answer(response)
}

/// Lets the faults happen. `Ok(true)` cuts the body off later; `Err` ends the call now.
async fn suffer(
    shared: &Shared,
    call: &Call,
    strikes: impl Iterator<Item = &(Kind, bool)>,
) -> Result<bool, Result<ApiError, Outcome>> {
    let mut cut = false;
    for (kind, _) in strikes {
        match kind {
            Kind::Latency(span) => shared.clock.sleep(*span).await,
            Kind::Truncate => cut = true,
            Kind::Reset => return Err(Err(Outcome::Reset)),
            Kind::BlackHole => return Err(Err(Outcome::Silence)),
            Kind::Throttle => return Err(Ok(throttled(call))),
            Kind::Error(status) => {
                return Err(Ok(ApiError::new(
                    *status,
                    "ServerException",
                    "Service Unavailable. Please try again later.",
                )));
            }
            Kind::Expired => {
                let code =
                    if call.protocol == Protocol::Query { "ExpiredToken" } else { "ExpiredTokenException" };
                let status = if call.protocol == Protocol::Query { 403 } else { 400 };
                return Err(Ok(ApiError::new(
                    status,
                    code,
                    "The security token included in the request is expired",
                )));
            }
            Kind::Denied => return Err(Ok(denied(call))),
        }
    }
    Ok(cut)
}

fn throttled(call: &Call) -> ApiError {
    match call.protocol {
        Protocol::Json | Protocol::Cbor => ApiError::throttled(),
        Protocol::Query => ApiError::new(400, "Throttling", "Rate exceeded"),
    }
}

fn denied(call: &Call) -> ApiError {
    let (status, code) = match call.protocol {
        Protocol::Json | Protocol::Cbor => (400, "AccessDeniedException"),
        Protocol::Query => (403, "AccessDenied"),
    };
    // Policies write CloudWatch's metrics otherwise than the signature does.
    let service = if call.service == "monitoring" { "cloudwatch" } else { call.service.as_str() };
    let message = format!(
        "User: arn:aws:sts::{account}:assumed-role/Operator/on-call is not authorized to perform: {}:{} on resource: * \
         because no identity-based policy allows the {0}:{1} action",
        service,
        call.operation,
        account = sts::ACCOUNT,
    );
    ApiError::new(status, code, message)
}

fn admit(
    shared: &Shared,
    head: &Parts,
    authorization: Option<&Authorization>,
    call: &Call,
) -> Result<(), ApiError> {
    if let Some(secret) = &shared.secret {
        let found = authorization.ok_or_else(|| {
            ApiError::new(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
        })?;
        if !found.holds(head, &call.body, secret) {
            let (status, code) = match call.protocol {
                Protocol::Json | Protocol::Cbor => (400, "InvalidSignatureException"),
                Protocol::Query => (403, "SignatureDoesNotMatch"),
            };
            let text = "The request signature we calculated does not match the signature you provided. \
                        Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
            return Err(ApiError::new(status, code, text));
        }
    }
    if shared.throttle {
        let now = shared.clock.now().mono;
        if !shared.state().buckets.take(now, &call.region, &call.service, &call.operation) {
            return Err(throttled(call));
        }
    }
    Ok(())
}

fn act(shared: &Arc<Shared>, authorization: Option<&Authorization>, call: &Call) -> Result<Reply, ApiError> {
    match (call.service.as_str(), call.protocol) {
        ("ecs", Protocol::Json) => {
            let input = json_body(&call.body)?;
            let mut state = shared.state();
            state.world.advance(shared.clock.now().wall);
            ecs::handle(&mut state.world, &call.region, &call.operation, &input).map(Reply::Json)
        }
        ("logs", Protocol::Json) => act_on_logs(shared, call),
        ("secretsmanager", Protocol::Json) => act_on_world(shared, call, secretsmanager::handle),
        ("ssm", Protocol::Json) => act_on_world(shared, call, ssm::handle),
        ("cloudtrail", Protocol::Json) => act_on_world(shared, call, cloudtrail::handle),
        ("ecr", Protocol::Json) => {
            act_on_world(shared, call, |world, region, name, input| ecr::handle(world, region, name, input))
        }
        ("application-autoscaling", Protocol::Json) => act_on_world(shared, call, autoscaling::handle),
        ("rds", Protocol::Query) => act_on_form(shared, call, rds::handle),
        ("elasticache", Protocol::Query) => act_on_form(shared, call, elasticache::handle),
        ("elasticloadbalancing", Protocol::Query) => {
            act_on_form(shared, call, |world, region, name, fields| {
                elbv2::handle(world, region, name, fields)
            })
        }
        ("iam", Protocol::Query) => {
            act_on_form(shared, call, |world, _, name, fields| iam::handle(world, name, fields))
        }
        ("sts", Protocol::Query) => {
            sts::handle(&call.operation, authorization.map_or("", |found| &found.key_id))
        }
        ("monitoring", _) => {
            let mut state = shared.state();
            state.world.advance(shared.clock.now().wall);
            cloudwatch::handle(&mut state.world, call)
        }
        (service, _) => Err(ApiError::unknown_operation(format!(
            "The simulator does not play {} of service `{service}`",
            call.operation
        ))),
    }
}

/// A handler of an awsJson service that needs the world and nothing else.
type Handler = fn(&mut World, &str, &str, &Value) -> Result<Value, ApiError>;

fn act_on_world(shared: &Arc<Shared>, call: &Call, handle: Handler) -> Result<Reply, ApiError> {
    let input = json_body(&call.body)?;
    let mut state = shared.state();
    state.world.advance(shared.clock.now().wall);
    handle(&mut state.world, &call.region, &call.operation, &input).map(Reply::Json)
}

/// The same of an awsQuery service.
type FormHandler = fn(&mut World, &str, &str, &Fields) -> Result<String, ApiError>;

fn act_on_form(shared: &Arc<Shared>, call: &Call, handle: FormHandler) -> Result<Reply, ApiError> {
    let fields = Fields::of(&call.body);
    let mut state = shared.state();
    state.world.advance(shared.clock.now().wall);
    handle(&mut state.world, &call.region, &call.operation, &fields).map(Reply::Xml)
}

/// CloudTrail keeps what was carried out or refused by its service, not what never came to it.
fn recorded(
    shared: &Shared,
    head: &Parts,
    call: &Call,
    result: Result<Reply, ApiError>,
) -> Result<Reply, ApiError> {
    if let Some(deed) = cloudtrail::record::of_call(call, head, shared.clock.now().wall, &result) {
        shared.state().world.trail.tell(deed);
    }
    result
}

/// The world hands out a view of its log streams; reading them holds no lock.
fn act_on_logs(shared: &Arc<Shared>, call: &Call) -> Result<Reply, ApiError> {
    let input = json_body(&call.body)?;
    let wanted = logs::wanted_groups(&input);
    let view = |shared: &Shared, region: &str, wanted: &[String]| {
        let mut state = shared.state();
        state.world.advance(shared.clock.now().wall);
        state.world.log_groups(region, wanted)
    };
    if call.operation == "StartLiveTail" {
        let sessions = shared.state().sessions.entry(call.region.clone()).or_default().clone();
        let (own, region) = (Arc::clone(shared), call.region.clone());
        let source: logs::Source = Arc::new(move || view(&own, &region, &wanted));
        let body = logs::live_tail::start_live_tail(source, &sessions, &shared.clock, &input)?;
        return Ok(Reply::Stream { content_type: logs::live_tail::CONTENT_TYPE, body });
    }
    let groups = view(shared, &call.region, &wanted);
    let now = shared.clock.now().wall;
    let answer = logs::answer(&call.operation, &groups, now, &input).unwrap_or_else(|| {
        Err(ApiError::unknown_operation(format!("The simulator does not play logs:{}", call.operation)))
    });
    answer.map(Reply::Json)
}

fn json_body(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ApiError::serialization("Start of structure or map found where not expected.")),
        Err(error) => Err(ApiError::serialization(format!("The request body is not JSON: {error}"))),
    }
}

fn write(
    shared: &Shared,
    protocol: Protocol,
    result: Result<Reply, ApiError>,
    call: Option<&Call>,
) -> Response<Payload> {
    let request_id = {
        let mut state = shared.state();
        state.requests += 1;
        format!("00000000-0000-4000-8000-{:012x}", state.requests)
    };
    let mut response = Response::new(Payload::full(Bytes::new()));
    let (status, kind, payload) = match (protocol, result) {
        (Protocol::Json, Ok(Reply::Json(value))) => {
            (200, "application/x-amz-json-1.1", Payload::full(value.to_string().into()))
        }
        (Protocol::Query, Ok(Reply::Xml(inner))) => {
            let operation = call.map_or("", |call| call.operation.as_str());
            let namespace = call.map(namespace).unwrap_or_default();
            let text = format!(
                "<{operation}Response{namespace}><{operation}Result>{inner}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
            );
            (200, "text/xml", Payload::full(text.into()))
        }
        (_, Ok(Reply::Stream { content_type, body })) => (200, content_type, Payload::stream(body)),
        (Protocol::Query, Err(error)) => {
            (error.status, "text/xml", Payload::full(error.xml(&request_id).into()))
        }
        (Protocol::Cbor, Ok(Reply::Cbor(bytes))) => (200, "application/cbor", Payload::full(bytes.into())),
        (Protocol::Cbor, Err(error)) => {
            put_query_error(&mut response, &error);
            let body = cloudwatch::wire::error(cloudwatch::shape_of(&error.code), &error.message);
            (error.status, "application/cbor", Payload::full(body.into()))
        }
        (Protocol::Json, Err(mut error)) => {
            if call.is_some_and(|call| call.service == "monitoring") {
                put_query_error(&mut response, &error);
                error.code = cloudwatch::shape_of(&error.code).to_owned();
            }
            if let Ok(code) = HeaderValue::from_str(&error.code) {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            (error.status, "application/x-amz-json-1.1", Payload::full(error.json().to_string().into()))
        }
        (_, Ok(Reply::Xml(_) | Reply::Json(_) | Reply::Cbor(_))) => {
            let text = "a handler answered in another protocol than it was asked in";
            (500, "text/plain", Payload::full(Bytes::from_static(text.as_bytes())))
        }
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.body_mut() = payload;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if protocol == Protocol::Cbor {
        response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    dated(shared, response)
}

/// Services that came from awsQuery go on telling clients the error code of that time.
fn put_query_error(response: &mut Response<Payload>, error: &ApiError) {
    let side = if error.status < 500 { "Sender" } else { "Receiver" };
    let code = cloudwatch::query_code(&error.code);
    if let Ok(value) = HeaderValue::from_str(&format!("{code};{side}")) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
}

fn namespace(call: &Call) -> String {
    let version = call.version.as_deref().unwrap_or_default();
    if version.chars().all(|c| c.is_ascii_digit() || c == '-') {
        format!(" xmlns=\"https://{}.amazonaws.com/doc/{version}/\"", call.service)
    } else {
        String::new()
    }
}

fn plain(shared: &Shared, status: u16, value: &Value) -> Response<Payload> {
    let mut response = Response::new(Payload::full(format!("{value:#}\n").into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    dated(shared, response)
}

/// Clients measure their clock's skew by this header, so it must follow the one clock.
fn dated(shared: &Shared, mut response: Response<Payload>) -> Response<Payload> {
    let date = shared
        .clock
        .now()
        .wall
        .timestamp()
        .and_then(|now| DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok());
    if let Some(date) = date.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

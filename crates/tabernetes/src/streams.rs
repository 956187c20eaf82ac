//! Requests that a node answers: logs, exec, attach.

use std::collections::BTreeMap;

use api::request::{ExecOptions, StreamId, StreamOutput};
use api::types::Pod;
use api::{Body, Kinded, Request, Response, Status, Subresource, meta};
use apiserver::Context;
use kubelet::{ExecSession, Kubelet};

use crate::cluster::Cluster;
use crate::outbound::Errands;

/// Exec sessions and followed logs that are open.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    open: BTreeMap<StreamId, Stream>,
    last: u64,
}

#[derive(Clone)]
enum Stream {
    Exec { node: usize, session: ExecSession },
    Logs { node: usize, pod: String, options: api::LogOptions, serial: u64 },
}

impl Cluster {
    /// Serves a request; those that a node must answer go on to its kubelet. Whoever has `entered` is authorized.
    pub(crate) fn answer(
        &mut self,
        context: &Context,
        mut request: Request,
        entered: bool,
        errands: &mut Errands,
    ) -> Result<Response, Status> {
        if !entered {
            self.server.authorize(&context.caller.user, &request)?;
        }
        let options = match (request.subresource, &request.body) {
            (Subresource::Log, _) => None,
            (Subresource::Exec | Subresource::Attach, Body::Exec(options)) => {
                self.admit_connection(context, &request, errands)?;
                Some(options.clone())
            }
            _ => return self.ask_server(context, request, errands),
        };
        let pod = self.server.peek::<Pod>(&request.namespace, &request.name);
        let pod = pod.ok_or_else(|| Status::not_found(Pod::row(), &request.name))?;
        let spec = pod.spec.as_ref();
        let node = spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default();
        if node.is_empty() {
            let message = format!("pod {} does not have a host assigned", request.name);
            return Err(Status::bad_request(message));
        }
        if options.is_none()
            && request.options.log.container.is_empty()
            && let Some([only]) = spec.map(|spec| spec.containers.as_slice())
        {
            request.options.log.container.clone_from(&only.name);
        }
        let reachable = self.kubelet(&node).is_some_and(Kubelet::is_powered_on);
        let Some(index) = self.kubelet_index(&node).filter(|_| reachable) else {
            let message = format!("Get \"https://{node}:10250/containerLogs\": dial tcp: i/o timeout");
            return Err(Status::internal(message));
        };
        let pod = meta::key_of(&request.namespace, &request.name);
        match options {
            Some(options) => self.open_exec(index, &pod, request.subresource, options),
            None => self.read_logs(index, pod, request.options.log),
        }
    }

    fn open_exec(
        &mut self,
        index: usize,
        pod: &str,
        subresource: Subresource,
        options: ExecOptions,
    ) -> Result<Response, Status> {
        let now = self.now;
        let Some(kubelet) = self.kubelet_mut(index) else { return Err(Status::internal("the node is gone")) };
        let session = if subresource == Subresource::Exec {
            kubelet.exec_start(now, pod, &options)?
        } else {
            kubelet.attach_start(pod, &options)?
        };
        self.settle_node(index);
        self.plan_wake(index);
        Ok(self.open_stream(Stream::Exec { node: index, session }))
    }

    fn read_logs(&mut self, index: usize, pod: String, options: api::LogOptions) -> Result<Response, Status> {
        let now = self.now;
        let Some(kubelet) = self.kubelet_mut(index) else { return Err(Status::internal("the node is gone")) };
        if !options.follow {
            return kubelet.logs(now, &pod, &options).map(Response::Text);
        }
        kubelet.logs(now, &pod, &options)?;
        Ok(self.open_stream(Stream::Logs { node: index, pod, options, serial: 0 }))
    }

    fn open_stream(&mut self, stream: Stream) -> Response {
        self.streams.last += 1;
        let id = StreamId(self.streams.last);
        self.streams.open.insert(id, stream);
        Response::Stream(id)
    }

    pub(crate) fn stream_write(&mut self, id: StreamId, text: Option<&str>) {
        let now = self.now;
        if let Some(Stream::Exec { node, session }) = self.streams.open.get(&id).cloned()
            && let Some(kubelet) = self.kubelet_mut(node)
        {
            kubelet.exec_write(now, session, text);
            self.settle_node(node);
            self.plan_wake(node);
        }
    }

    /// End of an exec session's standard input.
    pub fn close_stream_input(&mut self, id: StreamId) {
        let now = self.now;
        if let Some(Stream::Exec { node, session }) = self.streams.open.get(&id).cloned()
            && let Some(kubelet) = self.kubelet_mut(node)
        {
            kubelet.exec_close_input(now, session);
            self.settle_node(node);
            self.plan_wake(node);
        }
    }

    pub(crate) fn stream_read(&mut self, id: StreamId) -> StreamOutput {
        let now = self.now;
        match self.streams.open.get(&id).cloned() {
            Some(Stream::Exec { node, session }) => {
                self.kubelet_mut(node).map(|kubelet| kubelet.exec_read(now, session)).unwrap_or_default()
            }
            Some(Stream::Logs { node, pod, options, serial }) => self.follow(id, node, pod, options, serial),
            None => {
                StreamOutput { end: Some(Err(Status::internal("the stream is closed"))), ..StreamOutput::default() }
            }
        }
    }

    fn follow(
        &mut self,
        id: StreamId,
        node: usize,
        pod: String,
        options: api::LogOptions,
        serial: u64,
    ) -> StreamOutput {
        let now = self.now;
        let Some(kubelet) = self.kubelet_mut(node) else { return StreamOutput::default() };
        match kubelet.follow_logs(now, &pod, &options, serial) {
            Ok((stdout, serial, ended)) => {
                self.streams.open.insert(id, Stream::Logs { node, pod, options, serial });
                StreamOutput { stdout, stderr: String::new(), end: ended.then_some(Ok(0)) }
            }
            Err(_) => StreamOutput { end: Some(Ok(0)), ..StreamOutput::default() },
        }
    }

    pub(crate) fn close_stream(&mut self, id: StreamId) {
        let now = self.now;
        if let Some(Stream::Exec { node, session }) = self.streams.open.remove(&id)
            && let Some(kubelet) = self.kubelet_mut(node)
        {
            kubelet.exec_close(now, session);
        }
    }
}

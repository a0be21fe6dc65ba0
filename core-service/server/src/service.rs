//! The gRPC service: hands calls to the core, and logs one line for each.

use kms_core_engine::Engine;
use kms_core_proto::v1::{self, answer, kms_server::Kms};
use tonic::{Request as Call, Response, Status};

use crate::{
    Error,
    core::Core,
    gate::Place,
    metrics::{Metrics, Stage},
};

#[tonic::async_trait]
impl<E: Engine> Kms for Core<E> {
    async fn execute(&self, call: Call<v1::ExecuteRequest>) -> Result<Response<v1::Answer>, Status> {
        let (_place, call) = enter(self.metrics(), call);
        reply(self.metrics(), "execute", self.execute(call).await)
    }

    async fn get_result(&self, call: Call<v1::GetResultRequest>) -> Result<Response<v1::Answer>, Status> {
        let (_place, call) = enter(self.metrics(), call);
        reply(self.metrics(), "get_result", self.get_result(call).await)
    }

    async fn decline(&self, call: Call<v1::DeclineRequest>) -> Result<Response<v1::Answer>, Status> {
        let (_place, call) = enter(self.metrics(), call);
        reply(self.metrics(), "decline", self.decline(call).await)
    }

    async fn submit_header(
        &self,
        call: Call<v1::SubmitHeaderRequest>,
    ) -> Result<Response<v1::SubmitHeaderResponse>, Status> {
        let (_place, call) = enter(self.metrics(), call);
        let result = self.submit_header(call).await;
        result.map(Response::new).map_err(|error| refuse(self.metrics(), "submit_header", error))
    }

    async fn destroy_key(
        &self,
        call: Call<v1::DestroyKeyRequest>,
    ) -> Result<Response<v1::KeyDestruction>, Status> {
        let (_place, call) = enter(self.metrics(), call);
        let result = self.destroy_key(call).await;
        result.map(Response::new).map_err(|error| refuse(self.metrics(), "destroy_key", error))
    }

    async fn list_keys(
        &self,
        _: Call<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        Ok(Response::new(self.list_keys()))
    }

    async fn info(&self, _: Call<v1::InfoRequest>) -> Result<Response<v1::InfoResponse>, Status> {
        Ok(Response::new(self.info()))
    }
}

/// What the call carries, and its place behind the gate, to be kept until it is answered.
fn enter<T>(metrics: &Metrics, call: Call<T>) -> (Option<Place>, T) {
    let (_, mut extensions, message) = call.into_parts();
    let place: Option<Place> = extensions.remove();
    if let Some(place) = &place {
        metrics.took(Stage::Load, place.since.elapsed());
    }
    (place, message)
}

/// One line of log per call: ids and codes, never a payload.
fn reply(
    metrics: &Metrics,
    method: &'static str,
    result: Result<v1::Answer, Error>,
) -> Result<Response<v1::Answer>, Status> {
    match result {
        Ok(answer) => {
            let code = match &answer.outcome {
                Some(answer::Outcome::Failure(failure)) => failure.code,
                _ => 0,
            };
            tracing::info!(method, request_id = answer.request_id, outcome = code, "answered");
            Ok(Response::new(answer))
        }
        Err(error) => Err(refuse(metrics, method, error)),
    }
}

fn refuse(metrics: &Metrics, method: &'static str, error: Error) -> Status {
    metrics.refused(error.code());
    match &error {
        Error::Internal { cause } => tracing::error!(method, cause, "failed"),
        error => tracing::info!(method, reason = error.code(), %error, "refused"),
    }
    error.into()
}

//! The gRPC service: hands calls to the core, and logs one line for each.

use kms_core_engine::Engine;
use kms_core_proto::v1::{self, answer, kms_server::Kms};
use tonic::{Request as Call, Response, Status};

use crate::{Error, core::Core};

#[tonic::async_trait]
impl<E: Engine> Kms for Core<E> {
    async fn execute(&self, call: Call<v1::ExecuteRequest>) -> Result<Response<v1::Answer>, Status> {
        reply("execute", self.execute(call.into_inner()).await)
    }

    async fn get_result(&self, call: Call<v1::GetResultRequest>) -> Result<Response<v1::Answer>, Status> {
        reply("get_result", self.get_result(call.into_inner()).await)
    }

    async fn decline(&self, call: Call<v1::DeclineRequest>) -> Result<Response<v1::Answer>, Status> {
        reply("decline", self.decline(call.into_inner()).await)
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

/// One line of log per call: ids and codes, never a payload.
fn reply(method: &'static str, result: Result<v1::Answer, Error>) -> Result<Response<v1::Answer>, Status> {
    match result {
        Ok(answer) => {
            let code = match &answer.outcome {
                Some(answer::Outcome::Failure(failure)) => failure.code,
                _ => 0,
            };
            tracing::info!(method, request_id = answer.request_id, outcome = code, "answered");
            Ok(Response::new(answer))
        }
        Err(Error::Internal { cause }) => {
            tracing::error!(method, cause, "failed");
            Err(Error::Internal { cause }.into())
        }
        Err(error) => {
            tracing::info!(method, reason = error.code(), %error, "refused");
            Err(error.into())
        }
    }
}

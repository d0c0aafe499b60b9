//! What a client around rmcp's HTTP client hands on as it is: everything but the one method that every request is sent by.

/// Those methods, for the client in the field `$client`.
macro_rules! forwarded {
    ($client:tt) => {
        async fn post_message(
            &self,
            uri: std::sync::Arc<str>,
            message: rmcp::model::ClientJsonRpcMessage,
            session: Option<std::sync::Arc<str>>,
            token: Option<String>,
            headers: std::collections::HashMap<http::HeaderName, http::HeaderValue>,
        ) -> Result<
            rmcp::transport::streamable_http_client::StreamableHttpPostResponse,
            rmcp::transport::streamable_http_client::StreamableHttpError<Self::Error>,
        > {
            self.$client.post_message(uri, message, session, token, headers).await
        }

        async fn delete_session(
            &self,
            uri: std::sync::Arc<str>,
            session: std::sync::Arc<str>,
            token: Option<String>,
            headers: std::collections::HashMap<http::HeaderName, http::HeaderValue>,
        ) -> Result<(), rmcp::transport::streamable_http_client::StreamableHttpError<Self::Error>> {
            self.$client.delete_session(uri, session, token, headers).await
        }

        async fn get_stream(
            &self,
            uri: std::sync::Arc<str>,
            session: Option<std::sync::Arc<str>>,
            last_event: Option<String>,
            token: Option<String>,
            headers: std::collections::HashMap<http::HeaderName, http::HeaderValue>,
        ) -> Result<
            rmcp::transport::common::client_side_sse::BoxedSseResponse,
            rmcp::transport::streamable_http_client::StreamableHttpError<Self::Error>,
        > {
            self.$client.get_stream(uri, session, last_event, token, headers).await
        }

        /// rmcp has a patience of its own for streams.
        async fn get_stream_with_max_sse_event_size(
            &self,
            uri: std::sync::Arc<str>,
            session: Option<std::sync::Arc<str>>,
            last_event: Option<String>,
            token: Option<String>,
            headers: std::collections::HashMap<http::HeaderName, http::HeaderValue>,
            bytes: usize,
        ) -> Result<
            rmcp::transport::common::client_side_sse::BoxedSseResponse,
            rmcp::transport::streamable_http_client::StreamableHttpError<Self::Error>,
        > {
            self.$client.get_stream_with_max_sse_event_size(uri, session, last_event, token, headers, bytes).await
        }
    };
}

pub(crate) use forwarded;

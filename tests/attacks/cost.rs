//! Requests that are small, but would cost much work. Each is answered, and a second client is served meanwhile.

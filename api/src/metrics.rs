//! `GET /metrics`: what became of events, in the text format of Prometheus.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State as Extract;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use events::writer::Metrics;

use crate::State;

/// The format's own type.
const TEXT: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

pub(crate) async fn metrics(
    Extract(state): Extract<Arc<State>>,
) -> ([(HeaderName, &'static str); 1], String) {
    ([TEXT], text(&state.writer.metrics(Instant::now())))
}

fn text(metrics: &Metrics) -> String {
    let counters = [
        ("appended", "Inputs that came in.", metrics.appended),
        ("acknowledged", "Inputs that were acknowledged.", metrics.acknowledged),
        ("duplicate", "Copies that were left out before they were sent.", metrics.duplicate),
        ("erased", "Events of people who were erased, and that were left out.", metrics.erased),
        ("sent", "Events that ClickHouse took.", metrics.sent),
        ("batches", "Batches that ClickHouse took.", metrics.batches),
        ("retried", "Attempts that failed and were made again.", metrics.retried),
        ("dead", "Inputs that became dead letters.", metrics.dead),
    ];
    let gauges = [
        ("parked_rows", "Rows that wait for the schema.", metrics.parked as f64),
        ("log_bytes", "Bytes of the log.", metrics.log_bytes as f64),
        ("log_max_bytes", "The most that the log may take.", metrics.log_max_bytes as f64),
        ("lag_seconds", "How long the oldest row that is not sent has waited.", metrics.lag.as_secs_f64()),
    ];
    let mut text = String::new();
    let mut add = |name: &str, help: &str, kind: &str, value: f64| {
        let name = format!("archer_events_{name}");
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
            .expect("a string takes what is written");
    };
    for (name, help, value) in counters {
        add(&format!("{name}_total"), help, "counter", value as f64);
    }
    for (name, help, value) in gauges {
        add(name, help, "gauge", value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_help_a_type_and_a_value() {
        let metrics = Metrics { sent: 7, ..Metrics::default() };
        let text = text(&metrics);
        assert!(text.contains(
            "# HELP archer_events_sent_total Events that ClickHouse took.\n\
             # TYPE archer_events_sent_total counter\narcher_events_sent_total 7\n"
        ));
        assert_eq!(text.lines().count(), 36);
    }
}

//! The text format every scraper and `promtool check metrics` reads (Prometheus text 0.0.4), made
//! from the `OpenMetrics` text that `prometheus-client` writes: there a counter's family is named
//! without the `_total` of its samples, and units stand on lines of their own.

/// The same metrics as Prometheus text.
pub(crate) fn classic_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 256);
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (family, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let (ending, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, words)) = help.take().filter(|(named, _)| *named == family) {
                push(&mut text, &["# HELP ", family, ending, " ", words]);
            }
            push(&mut text, &["# TYPE ", family, ending, " ", kind]);
        } else if !line.starts_with("# ") && !line.is_empty() {
            push(&mut text, &[line]);
        }
    }
    text
}

fn push(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use tongban_types::Code;

    use super::*;
    use crate::metrics::RequestMetrics;

    #[test]
    fn families_are_named_as_their_samples_are() {
        let mut registry = Registry::default();
        let metrics = RequestMetrics::default();
        metrics.register(&mut registry);
        let took = Duration::from_millis(3);
        let code = Some(Code::NO_TOKEN);
        metrics.count("GET", "/api/v1/items", 401, code, took);
        let mut open_metrics = String::new();
        encode(&mut open_metrics, &registry).unwrap();
        let text = classic_text(&open_metrics);
        for line in [
            "# HELP tongban_api_requests_total Requests answered, by method, route and status.",
            "# TYPE tongban_api_requests_total counter",
            "tongban_api_requests_total{method=\"GET\",route=\"/api/v1/items\",status=\"401\"} 1",
            "tongban_api_refusals_total{code=\"TB7001\"} 1",
            "# TYPE tongban_api_request_duration_seconds histogram",
            "tongban_api_request_duration_seconds_bucket{le=\"0.005\",route=\"/api/v1/items\",class=\"4xx\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"));
    }
}

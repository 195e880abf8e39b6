//! A configuration with nothing in it but what every node has to say, for tests.

/// City 350100, node 1, data beside the file.
pub(crate) const MINIMAL: &str = r#"
[node]
city = "350100"
number = 1

[data]
folder = "data"

[registry]
file = "registry.json"
governance = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
"#;

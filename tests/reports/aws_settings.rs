//! AWS's variables and profile files with anything in them: they are honoured or ignored, or refused with a sentence.
//! The seed is fixed, so that a failure can be repeated.

use crate::support::{Bedrock, Chatrix, Home, Reply};

/// The variables that AWS documents for its SDKs, and those of proxies.
const VARIABLES: [&str; 44] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_DEFAULTS_MODE",
    "AWS_SDK_UA_APP_ID",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "HTTP_PROXY",
    "NO_PROXY",
    "AWS_LAMBDA_FUNCTION_NAME",
];

/// The keys that AWS documents for its profile files.
const KEYS: [&str; 26] = [
    "region",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "sso_session",
    "sso_account_id",
    "sso_role_name",
    "sso_region",
    "sso_start_url",
    "role_arn",
    "source_profile",
    "role_session_name",
    "external_id",
    "web_identity_token_file",
    "login_session",
    "services",
    "endpoint_url",
    "ignore_configured_endpoint_urls",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "retry_mode",
    "max_attempts",
    "defaults_mode",
    "sdk_ua_app_id",
];

const VALUES: [&str; 26] = [
    "",
    " ",
    "\n",
    "junk",
    "junk\n",
    "a\rb",
    "a\u{1}b",
    "\u{1b}]52;c;x\u{7}",
    "ü€\u{202e}",
    "true",
    "FALSE",
    "-1",
    "0",
    "99999999999999999999",
    "us-east-1",
    "us-east-1.evil.example",
    "http://127.0.0.1:9",
    "http://127.0.0.1:9/a?b#c",
    "http://user:secret@host",
    "https://",
    "127.0.0.1:9",
    "/",
    "/nowhere/file",
    "arn:aws:iam::123456789012:role/x",
    "default",
    "a,b;c=d\"'%n{}",
];

fn any_value(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u32(..12) {
        0 => b"\xff\xfe\x80".to_vec(),
        1 => "x".repeat(random.usize(..5000)).into_bytes(),
        _ => VALUES[random.usize(..VALUES.len())].as_bytes().to_vec(),
    }
}

/// A file of sections with random names, keys and values, some of it without any syntax.
fn any_profile_file(random: &mut fastrand::Rng) -> Vec<u8> {
    const SECTIONS: [&str; 9] = [
        "[default]",
        "[profile default]",
        "[profile work]",
        "[work]",
        "[sso-session junk]",
        "[services junk]",
        "[profile",
        "[]",
        "[profile \u{1}]",
    ];
    let mut file = Vec::new();
    for _ in 0..random.usize(1..4) {
        // Most files begin as they should, so that their keys are looked at.
        let section = if random.bool() { 0 } else { random.usize(..SECTIONS.len()) };
        file.extend_from_slice(SECTIONS[section].as_bytes());
        file.push(b'\n');
        for _ in 0..random.usize(..5) {
            let key = KEYS[random.usize(..KEYS.len())];
            let indent = if random.u32(..8) == 0 { "  " } else { "" };
            file.extend_from_slice(format!("{indent}{key} = ").as_bytes());
            file.extend_from_slice(&any_value(random));
            file.extend_from_slice(if random.u32(..8) == 0 { b"\r\n" } else { b"\n" });
        }
    }
    file
}

#[test]
fn any_settings_of_aws_are_honoured_ignored_or_refused_with_a_sentence() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let mut random = fastrand::Rng::with_seed(20_261_126);
    let mut codes = std::collections::BTreeMap::new();
    for round in 0..400 {
        let home = Home::new("");
        let mut ask = Chatrix::ask()
            .args(["-q", "-m", "nova-micro", "hi"])
            .home(&home)
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url)
            // Nothing may leave this machine, whatever the settings say.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
        if round % 3 != 0 {
            ask = ask.credentials();
        }
        let mut described = Vec::new();
        for _ in 0..random.usize(..4) {
            let (name, value) = (VARIABLES[random.usize(..VARIABLES.len())], any_value(&mut random));
            described.push(format!("{name}={:?}", String::from_utf8_lossy(&value)));
            ask = ask.env_bytes(name, &value);
        }
        for path in [".aws/config", ".aws/credentials"] {
            if random.u32(..3) != 0 {
                let file = any_profile_file(&mut random);
                described.push(format!("{path}: {:?}", String::from_utf8_lossy(&file)));
                home.write_bytes(path, &file);
            }
        }
        let outcome = ask.run();
        let code = outcome.code;
        *codes.entry(code).or_insert(0) += 1;
        let said = &outcome.stderr;
        let described = format!("round {round}: {described:#?} {code:?} {said}");
        match code {
            Some(0) => assert_eq!(outcome.stdout, "ok\n", "{described}"),
            Some(2 | 4) => assert!(said.starts_with("error: ") && said.lines().count() == 1, "{described}"),
            Some(5) => assert!(said.starts_with("error: cannot connect to Bedrock in "), "{described}"),
            _ => panic!("{described}"),
        }
        for words in ["panicked", "cargo", "feature", "dispatch failure", "may have been billed"] {
            assert!(!said.contains(words), "{words}: {described}");
        }
        assert_eq!(home.booked().2, 0, "{described}");
    }
    println!("any settings of AWS: exit codes and how often each came: {codes:?}");
    assert!(codes.len() >= 3 && codes[&Some(0)] > 20, "{codes:?}");
}

#[test]
fn without_root_certificates_nothing_is_sent() {
    let ask = Chatrix::ask().arg("hello").credentials().env("SSL_CERT_FILE", "/nowhere");
    ask.stdout("").code(2).stderr(
        "error: this machine has no root certificates, so AWS cannot be recognized; install ca-certificates, or set \
         SSL_CERT_FILE to a file that holds them\n",
    );
}

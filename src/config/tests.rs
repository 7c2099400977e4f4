//! What wins over what, and the words for what makes no sense.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::*;
use crate::conversation::{Message, Request};
use std::io::Write;

fn load(text: &str, flags: Flags, variables: &[(&str, &str)]) -> Result<Settings> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let flags = Flags { config: Some(file.path().to_owned()), ..flags };
    Settings::load(&flags, |name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn flag_over_environment_over_file_over_default() {
    let file = "default_model = 'nova-pro'\nregion = 'eu-west-1'\n[serve]\nport = 4000";
    let variables = [("CHATRIX_MODEL", "nova-lite"), ("AWS_REGION", ""), ("CHATRIX_PORT", "5000")];
    let flags = Flags { model: Some("nova-micro".into()), ..Flags::default() };
    let settings = load(file, flags, &variables).unwrap();
    let nova_micro = Setting { value: "nova-micro".to_owned(), source: Source::CommandLine };
    let port = Setting { value: 5000, source: Source::Environment("CHATRIX_PORT") };
    assert_eq!((&settings.model, &settings.serve.port), (&nova_micro, &port));
    let region = Region::parse("eu-west-1", "a test").unwrap();
    assert_eq!(settings.aws.region.map(|region| region.value), Some(region), "an empty variable is unset");
    let settings = load(file, Flags::default(), &variables).unwrap();
    assert_eq!((&*settings.model.value, &settings.model.source), ("nova-lite", &Source::Environment("CHATRIX_MODEL")));
    let settings = load(file, Flags::default(), &[]).unwrap();
    assert_eq!((&*settings.model.value, settings.serve.port.value), ("nova-pro", 4000));
    assert!(matches!(settings.model.source, Source::ConfigFile(_)));
    let default = load("", Flags::default(), &[]).unwrap();
    assert_eq!(
        (default.model.value.as_str(), default.serve.port.value, default.model.source),
        ("claude-haiku", 3000, Source::Default)
    );
}

#[test]
fn a_named_profile_is_told_from_that_of_the_environment() {
    let flags = || Flags { profile: Some("flag".into()), ..Flags::default() };
    for (file, flags, variables, named) in [
        ("", Flags::default(), &[("AWS_PROFILE", "env")][..], None),
        ("profile = 'file'", Flags::default(), &[], Some("file")),
        ("profile = 'file'", Flags::default(), &[("AWS_PROFILE", " \n")], Some("file")),
        ("profile = 'file'", Flags::default(), &[("AWS_PROFILE", "env\n")], Some("env")),
        ("profile = 'file'", flags(), &[("AWS_PROFILE", "env")], Some("flag")),
    ] {
        assert_eq!(
            load(file, flags, variables).unwrap().aws.profile.map(|profile| profile.value).as_deref(),
            named,
            "{file} {variables:?}"
        );
    }
}

#[test]
fn an_impossible_region_is_refused_wherever_it_comes_from() {
    let flags = |region: &str| Flags { region: Some(region.into()), ..Flags::default() };
    for (file, flags, variables, source) in [
        ("", flags(""), &[][..], "the command line is \"\""),
        ("", flags("https://x"), &[], "the command line is"),
        ("", Flags::default(), &[("AWS_REGION", " ")], "the environment variable AWS_REGION is"),
        ("", Flags::default(), &[("AWS_DEFAULT_REGION", "here")], "the environment variable AWS_DEFAULT_REGION is"),
        ("region = 'here'", Flags::default(), &[], " is \"here\", which is not the name of a region"),
    ] {
        let error = load(file, flags.clone(), variables).unwrap_err();
        assert_eq!(error.kind, Kind::Config, "{source}");
        assert!(error.message.contains(source), "{}", error.message);
        assert!(load(file, Flags { offline: true, ..flags }, variables).is_ok(), "{source}");
    }
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    for (name, value, message) in [
        ("CHATRIX_PORT", "http", r#"CHATRIX_PORT is "http", which is not a port"#),
        ("CHATRIX_HOST", "here", r#"CHATRIX_HOST is "here", which is not an IP address or localhost"#),
        ("CHATRIX_OFFLINE", "maybe", r#"CHATRIX_OFFLINE is "maybe""#),
    ] {
        let error = load("", Flags::default(), &[(name, value)]).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Config, message));
    }
}

#[test]
fn a_mistake_names_file_line_and_key() {
    for (text, pieces) in [
        ("region = 'x'\nmodle = 'y'", [":2", "modle"]),
        ("[limits]\n\ntemperature = 3", [":3", "temperature"]),
        ("[limits]\nmax_tokens = 0", [":2", "max_tokens"]),
        ("[limits]\nmax_tokens = 2000", [":2", "max_tokens"]),
        ("[serve]\nport = 'x'", [":2", "port"]),
        ("[models.team]\nid = 'arn:x/y'\nprice = { input = -1, output = 2 }", [":3", "price"]),
        ("stream_idle_seconds = 0", [":1", "stream_idle_seconds"]),
        ("x = [", [":1", "x"]),
        ("[serve]\nport = 70000", [":2", "expected a port"]),
        ("[serve]\nhost = 'here'", [":2", "it must be an IP address or localhost"]),
        ("[budget]\nday_usd = 'five'", [":2", "expected a number"]),
        ("[limits]\nmax_tokens = '5'", [":2", "expected a whole number"]),
        ("[ledger]\nkeep_days = 0", [":2", "expected a number of days from 1 to 65535"]),
        ("history = 'no'", [":1", "expected a boolean"]),
        ("[keys.a]\nmax_tokens = 9\nmax_tokens_limit = 8", [":2", "9 is above max_tokens_limit, which is 8"]),
        ("[keys.a]\nweek_usd = 'five'", [":2", "expected a number"]),
        ("[keys.a]\nmodles = []", [":2", "modles"]),
        ("[keys.a]\nmodels = ['nobody']", ["[keys.a]", "no model is called"]),
    ] {
        let error = load(text, Flags::default(), &[]).unwrap_err();
        assert_eq!(error.kind, Kind::Config, "{text}");
        for piece in pieces {
            assert!(error.message.contains(piece), "{text}: {}", error.message);
        }
    }
    for host in ["localhost", "LOCALHOST", "127.0.0.1"] {
        let settings = load(&format!("[serve]\nhost = '{host}'"), Flags::default(), &[]).unwrap();
        assert!(settings.serve.host.value.is_loopback());
    }
    assert!(load("[models.nobody]\nmax_tokens = 5", Flags::default(), &[]).is_err());
    assert!(load("default_model = 'nobody'", Flags::default(), &[]).is_err());
}

#[test]
fn own_models_and_limits_reach_the_policy() {
    let text = "[models.team]\nid = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a'\n\
                like = 'claude-sonnet-4'\nmax_tokens_limit = 9000\ntemperature = 'unset'\n\
                price = { input = 4, output = 20 }\n[limits]\nmax_tokens_limit = 100";
    let policy = load(text, Flags::default(), &[]).unwrap().policy();
    let request = |model: &str| Request {
        model: model.into(),
        messages: vec![Message::user("x")],
        max_tokens: Some(5000),
        ..Request::default()
    };
    let team = policy.admit(request("team"), None).unwrap();
    assert_eq!((team.max_tokens(), team.temperature(), team.top_p()), (5000, None, Some(0.3)));
    assert_eq!(team.model().prices.unwrap().output.dollars(), "20.00");
    assert_eq!(policy.admit(request("nova-micro"), None).unwrap().max_tokens(), 100);
}

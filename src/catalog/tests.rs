//! What names resolve to, and the plausibility of the data.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::*;

fn catalog() -> Catalog {
    Catalog::load(&[]).unwrap()
}

#[test]
fn the_original_names_resolve() {
    for (name, id) in [
        ("claude-sonnet-4", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("claude-sonnet-3", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        ("deepseek", "us.deepseek.r1-v1:0"),
    ] {
        assert_eq!(catalog().resolve(name).unwrap().id, id);
    }
}

#[test]
fn c10_every_row_is_complete_and_its_price_is_plausible() {
    let catalog = catalog();
    assert!(catalog.models().count() >= 16);
    assert_eq!(catalog.families.last().unwrap().0, "", "the last family matches every id");
    let default = catalog.resolve(catalog.default_alias()).unwrap();
    assert_eq!(default.lifecycle, Lifecycle::Active);
    assert_ne!(default.capabilities.thinking, Thinking::Always);
    for model in catalog.models().cloned().chain(catalog.priced_ids().unwrap()) {
        let prices = model.prices.unwrap();
        // C10: a price that was entered per token, or per thousand tokens, fails here.
        assert!(prices.output >= prices.input && prices.output <= Rate(200_000_000_000), "{}", model.id);
        assert!(prices.input >= Rate(10_000_000), "{}", model.id);
        assert!(prices.cache_read.is_none_or(|rate| rate < prices.input), "{}", model.id);
        assert!(prices.cache_write_1h.is_none_or(|rate| Some(rate) > prices.cache_write_5m), "{}", model.id);
        assert!(prices.long.is_none_or(|long| long.input > prices.input), "{}", model.id);
        assert_eq!(model.lifecycle == Lifecycle::EndOfLife, model.lifecycle.as_str() == "end-of-life");
        if let Some(successor) = &model.successor {
            assert_eq!(catalog.resolve(successor).unwrap().lifecycle, Lifecycle::Active);
        }
    }
}

/// The names by which Anthropic's own service and its clients call the models (docs/anthropic.md §3).
#[test]
fn anthropics_own_names_resolve() {
    let catalog = catalog();
    for (name, id) in [
        ("claude-opus-5-5", "us.anthropic.claude-opus-5-5"),
        ("claude-sonnet-5-5", "us.anthropic.claude-sonnet-5-5"),
        ("claude-haiku-5-5", "us.anthropic.claude-haiku-5-5"),
        ("claude-fable-5", "us.anthropic.claude-fable-5"),
        ("claude-fable-5-1", "us.anthropic.claude-fable-5-1"),
        ("claude-mythos-5-1", "us.anthropic.claude-mythos-5-1"),
        ("claude-opus-5", "us.anthropic.claude-opus-5"),
        ("claude-sonnet-5", "us.anthropic.claude-sonnet-5"),
        ("claude-opus-4-8", "us.anthropic.claude-opus-4-8"),
        ("claude-opus-4-7", "us.anthropic.claude-opus-4-7"),
        ("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1"),
        ("claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"),
        ("claude-opus-4-5-20251101", "us.anthropic.claude-opus-4-5-20251101-v1:0"),
        ("claude-opus-4-5", "us.anthropic.claude-opus-4-5-20251101-v1:0"),
        ("claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("claude-haiku-4-5-20251001", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("claude-haiku-4-5", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("claude-opus-4-1-20250805", "us.anthropic.claude-opus-4-1-20250805-v1:0"),
        ("claude-sonnet-4-20250514", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("claude-sonnet-4-0", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("claude-opus-4-0", "us.anthropic.claude-opus-4-20250514-v1:0"),
        ("claude-3-7-sonnet-latest", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        ("claude-sonnet-4-6[1m]", "us.anthropic.claude-sonnet-4-6"),
        ("claude-sonnet-4-5-20250929[1m]", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("us.anthropic.claude-opus-5-5[1m]", "us.anthropic.claude-opus-5-5"),
    ] {
        let resolved = catalog.resolve(name).map(|model| (model.id.clone(), model.prices.is_some()));
        assert_eq!(resolved.ok(), Some((id.to_owned(), true)), "{name}");
    }
}

#[test]
fn any_bedrock_id_is_a_model_but_a_typo_is_not() {
    let catalog = catalog();
    let european = catalog.resolve("eu.anthropic.claude-sonnet-4-6").unwrap();
    assert_eq!(european.capabilities.sampling, Sampling::Temperature);
    assert!(european.prices.is_some());
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6";
    assert_eq!(catalog.resolve(arn).unwrap().id, arn);
    assert!(catalog.resolve(arn).unwrap().prices.is_some());
    for own in [
        "application-inference-profile/1arbu5hu2sjr",
        "prompt/us.anthropic.claude-sonnet-4-6",
        "provisioned-model/us.anthropic.claude-sonnet-4-6",
        "custom-model-deployment/us.anthropic.claude-sonnet-4-6",
    ] {
        let arn = format!("arn:aws:bedrock:us-east-1:123456789012:{own}");
        assert!(catalog.resolve(&arn).unwrap().prices.is_none(), "{own}");
        assert_eq!(foundation_model(&arn), None, "{own}");
    }
    let versioned = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0";
    assert_eq!(foundation_model(versioned), Some("anthropic.claude-haiku-4-5-20251001-v1:0"));
    let unknown = catalog.resolve("eu.anthropic.claude-next-9").unwrap();
    assert_eq!((unknown.capabilities.sampling, unknown.prices), (Sampling::None, None));
    for (name, id) in [
        ("anthropic/claude-sonnet-4.6", "us.anthropic.claude-sonnet-4-6"),
        ("bedrock/us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"),
        ("bedrock/converse/eu.anthropic.claude-sonnet-4-6", "eu.anthropic.claude-sonnet-4-6"),
        ("openai/claude-haiku", "us.anthropic.claude-haiku-5-5"),
        ("openai/gpt-oss-120b", "openai.gpt-oss-120b-1:0"),
        ("claude-sonnet-4-20250514", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("claude-3-7-sonnet-20250219", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        ("claude-3-7-sonnet-latest", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        ("claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("claude-opus-4-1-20250805", "us.anthropic.claude-opus-4-1-20250805-v1:0"),
        ("CLAUDE-HAIKU", "us.anthropic.claude-haiku-5-5"),
        ("deepseek/deepseek-r1", "us.deepseek.r1-v1:0"),
    ] {
        let model = catalog.resolve(name).unwrap();
        assert_eq!(model.id, id, "{name}");
        assert!(model.prices.is_some(), "{name}");
    }
    for id in [
        "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "apac.anthropic.claude-sonnet-4-6-20260217-v1:0",
        "global.anthropic.claude-sonnet-4-6-v1:0",
        "ca.amazon.nova-lite-v1:0",
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ] {
        assert!(catalog.resolve(id).unwrap().prices.is_some(), "{id}");
    }
    let global = catalog.resolve("global.anthropic.claude-sonnet-4-6-v1:0").unwrap().prices;
    assert_eq!(global, catalog.resolve("global.anthropic.claude-sonnet-4-6").unwrap().prices);
    for wrong in ["gpt-3.5-turbo", "claude", "claude-sonet-4", "", "a b.c"] {
        assert_eq!(catalog.resolve(wrong).unwrap_err().kind, Kind::ModelNotFound, "{wrong}");
    }
    assert!(catalog.resolve("claude-sonet-4").unwrap_err().to_string().contains("did you mean claude-sonnet-4?"));
}

#[test]
fn an_own_model_takes_its_capabilities_and_family_from_another() {
    let own = OwnModel {
        alias: "team".into(),
        id: Some("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc".into()),
        like: Some("claude-sonnet-4-6".into()),
        prices: None,
    };
    let catalog = Catalog::load(&[own]).unwrap();
    let team = catalog.resolve("team").unwrap();
    assert_eq!(team.capabilities.sampling, Sampling::Temperature);
    assert_eq!(team.capabilities.family, Family::Claude);
    assert!(team.id.starts_with("arn:"));
}

#[test]
fn an_operator_sets_the_price_of_an_embedding_model() {
    let prices = catalog().resolve("nova-micro").unwrap().prices;
    let own = OwnModel { alias: "titan-embed".into(), prices, ..OwnModel::default() };
    let catalog = Catalog::load(&[own]).unwrap();
    for name in ["titan-embed", "amazon.titan-embed-text-v2:0", "us.amazon.titan-embed-text-v2:0"] {
        assert_eq!(catalog.resolve_embedding(name).unwrap().price, prices.unwrap().input, "{name}");
    }
    assert_ne!(catalog.resolve_embedding("cohere-embed").unwrap().price, prices.unwrap().input);
    assert!(catalog.resolve("titan-embed").is_err(), "it is not a chat model");
    assert_eq!(catalog.resolve_embedding("titan").unwrap_err().kind, Kind::ModelNotFound);
}

#[test]
fn a_name_with_control_characters_is_no_model() {
    for name in ["x\0/nova-micro", "nova-micro\n", "\u{7f}", "us.foo\0.bar-v1:0", "arn:aws:bedrock\0", "titan-embed\r"]
    {
        assert_eq!(catalog().resolve(name).unwrap_err().kind, Kind::ModelNotFound, "{name:?}");
        assert_eq!(catalog().resolve_embedding(name).unwrap_err().kind, Kind::ModelNotFound, "{name:?}");
    }
}

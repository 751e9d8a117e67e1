use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, message: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(message)
}

#[test]
fn terms_are_all_wanted_and_case_counts() {
    assert!(matches("", "anything"));
    assert!(matches("ERROR", "[ERROR 400] BAD REQUEST"));
    assert!(!matches("error", "[ERROR 400] BAD REQUEST"));
    assert!(matches("ERROR REQUEST", "[ERROR 400] BAD REQUEST"));
    assert!(!matches("ERROR GATEWAY", "[ERROR 400] BAD REQUEST"));
}

#[test]
fn phrases_exclusions_options_and_expressions() {
    assert!(matches("\"BAD REQUEST\"", "[ERROR 400] BAD REQUEST"));
    assert!(!matches("\"REQUEST BAD\"", "[ERROR 400] BAD REQUEST"));
    assert!(matches(r#""say \"hi\"""#, r#"they say "hi" again"#));
    assert!(matches("ERROR -EXITING", "ERROR going on"));
    assert!(!matches("ERROR -EXITING", "ERROR EXITING"));
    assert!(matches("-DEBUG", "INFO fine"));
    assert!(matches("?ERROR ?WARN", "WARN slow"));
    assert!(!matches("?ERROR ?WARN", "INFO fine"));
    assert!(matches("?ERROR ?WARN slow", "INFO slow"), "options do not count beside a required term");
    assert!(matches("%5[0-9]{2}%", "status 503"));
    assert!(!matches("%5[0-9]{2}%", "status 404"));
    assert!(matches("-\"health check\"", "GET /health"));
}

#[test]
fn json_conditions() {
    let event =
        r#"{"level":"error","status":503,"path":"/api/cases/7","user":{"ids":[4,5]},"retry":true,"x":null}"#;
    for pattern in [
        r#"{ $.level = "error" }"#,
        "{ $.level = error }",
        "{$.level=error}",
        r#"{ $.level != "info" }"#,
        "{ $.status >= 500 && $.status < 600 }",
        r#"{ $.path = "/api/*" }"#,
        r#"{ $.path = "*cases*7" }"#,
        "{ $.path = %^/api% }",
        "{ $.user.ids[1] = 5 }",
        "{ $.retry IS TRUE }",
        "{ $.x IS NULL }",
        "{ $.missing NOT EXISTS }",
        r#"{ ($.level = "warn" || $.status = 503) && $.retry IS TRUE }"#,
        "{ $.status = 5* }",
    ] {
        assert!(matches(pattern, event), "{pattern}");
    }
    for pattern in [
        "{ $.level = \"ERROR\" }",
        "{ $.status > 503 }",
        "{ $.missing != 4 }",
        "{ $.level NOT EXISTS }",
        "{ $.path > 4 }",
    ] {
        assert!(!matches(pattern, event), "{pattern}");
    }
    assert!(!matches("{ $.level = error }", "level=error"));
}

#[test]
fn what_aws_refuses_is_refused() {
    for pattern in [
        "a-b",
        "foo/bar",
        "\"open",
        "%open",
        "%(%",
        "%a% %b% %c%",
        "{ $.a }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $.a > x }",
        "[ip, user]",
        "\"a\"b",
        "-",
        "{ ($.a = 1 }",
        "{ $. = 1 }",
    ] {
        let error = Pattern::parse(pattern).unwrap_err();
        assert_eq!(error.code, "InvalidParameterException", "{pattern}");
    }
    assert!(Pattern::parse(&"a".repeat(1_025)).is_err());
    assert!(Pattern::parse(&"a".repeat(1_024)).is_ok());
}

proptest! {
    #[test]
    fn no_pattern_and_no_message_make_it_panic(pattern in any::<String>(), message in any::<String>()) {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            let _ = pattern.matches(&message);
        }
    }

    #[test]
    fn no_json_pattern_makes_it_panic(pattern in "[{}$.a-z0-9=!<>&|()\" %*\\[\\]]{0,40}") {
        if let Ok(pattern) = Pattern::parse(&format!("{{{pattern}}}")) {
            let _ = pattern.matches("{\"a\":1}");
        }
    }

    #[test]
    fn a_quoted_phrase_matches_itself(text in "[^\"\\\\]{1,40}", before in ".{0,10}") {
        let matched = Pattern::parse(&format!("\"{text}\"")).unwrap().matches(&format!("{before}{text}"));
        prop_assert!(matched);
    }
}

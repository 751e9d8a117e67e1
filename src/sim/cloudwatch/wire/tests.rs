//! The three dresses of one value.

use bytes::Bytes;

use super::*;

fn call(protocol: Protocol, body: impl Into<Bytes>) -> Call {
    Call {
        protocol,
        service: "monitoring".to_owned(),
        region: "us-east-1".to_owned(),
        operation: "DescribeAlarms".to_owned(),
        version: None,
        body: body.into(),
    }
}

fn cbor(value: &Datum) -> Vec<u8> {
    match write(Protocol::Cbor, value) {
        Reply::Cbor(bytes) => bytes,
        _ => panic!("CBOR is answered in CBOR"),
    }
}

#[test]
fn doubles_stay_floats_and_times_carry_tag_1_whatever_their_value() {
    // An integer where the model says double, or a bare number where it says timestamp, is refused by the SDK.
    let zero = cbor(&Datum::Double(0.0));
    assert_eq!(zero[0] >> 5, 7, "{zero:x?}");
    let whole = cbor(&Datum::Double(80.0));
    assert_eq!(whole[0] >> 5, 7, "{whole:x?}");
    let time = cbor(&Datum::Time(Wall(1_795_176_000_000)));
    assert_eq!((time[0], time[1] >> 5), (0xc1, 7), "{time:x?}");
    assert_eq!(cbor(&Datum::Whole(80)), [0x18, 80]);
}

#[test]
fn one_request_reads_the_same_in_all_protocols() {
    let json = r#"{"AlarmNames":["a","b"],"MaxRecords":7,"StartDate":1795176000,"Q":[{"Id":"m1"}],"On":true,"T":0.5}"#;
    // As the Rust SDK writes: maps and lists of indefinite length.
    let mut wire = vec![0xbf];
    let text = |text: &str, wire: &mut Vec<u8>| {
        wire.push(0x60 | u8::try_from(text.len()).unwrap());
        wire.extend_from_slice(text.as_bytes());
    };
    text("AlarmNames", &mut wire);
    wire.push(0x9f);
    text("a", &mut wire);
    text("b", &mut wire);
    wire.push(0xff);
    text("MaxRecords", &mut wire);
    wire.push(7);
    text("StartDate", &mut wire);
    wire.extend_from_slice(&[0xc1, 0xfb]);
    wire.extend_from_slice(&1_795_176_000.0_f64.to_be_bytes());
    text("Q", &mut wire);
    wire.extend_from_slice(&[0x81, 0xbf]);
    text("Id", &mut wire);
    text("m1", &mut wire);
    wire.push(0xff);
    text("On", &mut wire);
    wire.push(0xf5);
    text("T", &mut wire);
    wire.push(0xfb);
    wire.extend_from_slice(&0.5_f64.to_be_bytes());
    wire.push(0xff);
    let form = "Action=X&Version=2010-08-01&AlarmNames.member.2=b&AlarmNames.member.1=a&MaxRecords=7&\
                StartDate=2026-11-20T12%3A00%3A00Z&Q.member.1.Id=m1&On=true&T=0.5";
    for (protocol, body) in [
        (Protocol::Json, Bytes::from_static(json.as_bytes())),
        (Protocol::Cbor, Bytes::from(wire)),
        (Protocol::Query, Bytes::from_static(form.as_bytes())),
    ] {
        let read = read(&call(protocol, body)).unwrap();
        assert_eq!(read.texts("AlarmNames").unwrap(), ["a", "b"], "{protocol:?}");
        assert_eq!(read.whole("MaxRecords").unwrap(), Some(7), "{protocol:?}");
        assert_eq!(read.time("StartDate").unwrap(), Some(Wall(1_795_176_000_000)), "{protocol:?}");
        assert_eq!(read.items("Q").unwrap()[0].must("Id").unwrap(), "m1", "{protocol:?}");
        assert_eq!(read.flag("On").unwrap(), Some(true), "{protocol:?}");
        assert_eq!(read.double("T").unwrap(), Some(0.5), "{protocol:?}");
        assert_eq!(read.text("Absent").unwrap(), None, "{protocol:?}");
    }
}

#[test]
fn one_answer_is_written_in_all_protocols() {
    let value = build()
        .with("Names", vec!["<a>"])
        .with("At", Wall(1_795_176_000_500))
        .with("Threshold", 80.0)
        .with("Period", 60)
        .maybe("Absent", None::<&str>)
        .done();
    let Reply::Json(json) = write(Protocol::Json, &value) else { panic!() };
    assert_eq!(json.to_string(), r#"{"At":1795176000.5,"Names":["<a>"],"Period":60,"Threshold":80.0}"#);
    let Reply::Xml(xml) = write(Protocol::Query, &value) else { panic!() };
    assert_eq!(
        xml,
        "<Names><member>&lt;a&gt;</member></Names><At>2026-11-20T12:00:00.500Z</At><Threshold>80.0</Threshold><Period>60</Period>"
    );
    assert_eq!(read(&call(Protocol::Cbor, cbor(&value))).unwrap(), value);
}

#[test]
fn what_is_of_the_wrong_type_or_no_structure_is_refused() {
    let read_json = |text: &'static str| read(&call(Protocol::Json, text));
    assert_eq!(read_json("[1]").unwrap_err().code, "SerializationException");
    assert_eq!(read(&call(Protocol::Cbor, vec![0x01])).unwrap_err().code, "SerializationException");
    let odd = read_json(r#"{"A":1,"B":"x","C":{}}"#).unwrap();
    assert!(odd.text("A").is_err() && odd.whole("B").is_err() && odd.double("B").is_err());
    assert!(odd.flag("A").is_err() && odd.time("B").is_err() && odd.items("C").is_err());
    assert_eq!(odd.must("D").unwrap_err().code, "MissingParameter");
}

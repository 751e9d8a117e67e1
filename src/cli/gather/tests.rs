use super::*;
use crate::domain::identity::Identity;

fn scope(region: &str) -> Scope {
    Scope::new("default", region)
}

fn names(names: &[&str], next: Option<&str>) -> Result<Answer, Fault> {
    Ok(Answer::Names {
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        next: next.map(|t| PageToken(t.to_owned())),
    })
}

#[tokio::test(start_paused = true)]
async fn a_denied_scope_does_not_hide_the_others() {
    let ask = async |query: Query| match query.scope().region.as_str() {
        "bad" => Err(Fault::new(FaultKind::Denied, "no").action(query.action())),
        _ => names(&["a"], None),
    };
    let mut gather = Gather::new(ask, Clock::system(), None);
    let mut found = Vec::new();
    let lists = ["bad", "good"].map(|r| Work::Names(Query::ListClusters { scope: scope(r), page: None }));
    gather
        .run(lists.to_vec(), |query, answer| {
            if let Answer::Names { names, .. } = answer {
                found.extend(names.into_iter().map(|n| format!("{}/{n}", query.scope().region)));
            }
            Vec::new()
        })
        .await;
    let report = gather.report(found);
    assert_eq!(report.items, ["good/a"]);
    assert_eq!(report.scopes.iter().map(|s| s.complete).collect::<Vec<_>>(), [false, true]);
    assert_eq!(report.exit() as u8, 6);
}

#[tokio::test(start_paused = true)]
async fn names_are_paged_to_the_end_and_a_repeated_token_is_said() {
    let ask = async |query: Query| match &query {
        Query::ListServices { page: None, .. } => names(&["a"], Some("1")),
        Query::ListServices { page: Some(_), .. } => names(&["b"], Some("2")),
        other => panic!("{other:?}"),
    };
    let mut gather = Gather::new(ask, Clock::system(), None);
    let mut found = Vec::new();
    let list = Query::ListServices { scope: scope("r"), cluster: "c".into(), page: None };
    gather
        .run(vec![Work::Names(list)], |_, answer| {
            if let Answer::Names { names, .. } = answer {
                found.extend(names);
            }
            Vec::new()
        })
        .await;
    assert_eq!(found, ["a", "b", "b"]);
    assert_eq!(gather.failures().len(), 1);
    assert_eq!(gather.failures()[0].kind, FaultKind::Garbled);
}

#[tokio::test(start_paused = true)]
async fn time_that_runs_out_leaves_what_was_found_and_names_what_was_not() {
    let clock = Clock::steered(crate::stdx::clock::Wall(0), 1.0);
    let slow = clock.clone();
    let ask = move |query: Query| {
        let clock = slow.clone();
        async move {
            if query.scope().region.as_str() == "slow" {
                clock.sleep(Duration::from_secs(3_600)).await;
            }
            Ok(Answer::Identity(Identity { account_id: "1".into(), arn: "a".into(), user_id: "u".into() }))
        }
    };
    let mut gather = Gather::new(ask, clock.clone(), Some(Duration::from_secs(60)));
    let mut found = 0;
    let work = ["slow", "fast"].map(|r| Work::Ask(Query::CallerIdentity { scope: scope(r) })).to_vec();
    gather
        .run(work, |_, _| {
            found += 1;
            Vec::new()
        })
        .await;
    assert_eq!((found, gather.failures().len()), (1, 1));
    assert_eq!(gather.failures()[0].sentence(), "slow: gave up after 1 min 00 s with 1 request unanswered");
    // The patience is one for all runs.
    gather.run(vec![Work::Ask(Query::CallerIdentity { scope: scope("slow") })], |_, _| Vec::new()).await;
    assert_eq!(clock.now().mono, Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn answers_make_more_work_and_a_probe_may_find_nothing() {
    let ask = async |query: Query| match &query {
        Query::ListClusters { .. } => names(&["one", "two"], None),
        Query::DescribeServices { cluster, .. } if cluster == "one" => {
            Err(Fault::new(FaultKind::NotFound, "gone"))
        }
        Query::DescribeServices { .. } => Ok(Answer::Services {
            found: Vec::new(),
            failures: vec![Failure { arn: "x".into(), reason: "MISSING".into(), detail: None }],
        }),
        other => panic!("{other:?}"),
    };
    let mut gather = Gather::new(ask, Clock::system(), None);
    let mut asked = 0;
    gather
        .run(vec![Work::Names(Query::ListClusters { scope: scope("r"), page: None })], |_, answer| {
            asked += 1;
            let Answer::Names { names, .. } = answer else { return Vec::new() };
            let probe = |cluster| {
                Work::Probe(Query::DescribeServices {
                    scope: scope("r"),
                    cluster,
                    services: vec!["x".into()],
                })
            };
            names.into_iter().map(probe).collect()
        })
        .await;
    assert_eq!(asked, 2, "the list and the probe that was answered");
    assert!(gather.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reports_its_failures_once() {
    let ask = async |query: Query| match &query {
        Query::ListClusters { .. } => names(&["one"], None),
        Query::DescribeClusters { .. } => Ok(Answer::Clusters {
            found: Vec::new(),
            failures: vec![Failure { arn: "one".into(), reason: "MISSING".into(), detail: None }],
        }),
        other => panic!("{other:?}"),
    };
    let mut gather = Gather::new(ask, Clock::system(), None);
    gather.run(vec![Work::Sweep(Goal::Clusters { scope: scope("r") })], |_, _| Vec::new()).await;
    assert_eq!(gather.failures().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_another_account_is_refused() {
    let ask = async |_| names(&["arn:aws:ecs:r:111111111111:cluster/a"], None);
    let expected = BTreeMap::from([(Account::new("default"), "222222222222".to_owned())]);
    let mut gather = Gather::new(ask, Clock::system(), None).expecting(expected);
    let list = Query::ListClusters { scope: scope("r"), page: None };
    gather.run(vec![Work::Names(list)], |_, answer| panic!("{answer:?}")).await;
    assert_eq!(gather.failures()[0].kind, FaultKind::Denied);
}

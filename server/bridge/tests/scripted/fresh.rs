//! Lists that are out of date by what their server says (`ttlMs`).

use crate::eras::spec as era;
use crate::kit::{BOUND, Kit};
use bridge::BridgeEvent;
use serde_json::json;
use std::time::Duration;

/// How often the tools were listed.
async fn listings(kit: &Kit) -> usize {
    let seen = kit.structured("seen", json!({})).await;
    seen["methods"].as_array().expect("a list").iter().filter(|method| *method == "tools/list").count()
}

fn with_interval(interval: Duration) -> Kit {
    Kit::with(vec![era("stateless")], |options| options.listing_interval = interval)
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_that_are_out_of_date_are_listed_beside_their_next_use() {
    let mut kit = with_interval(Duration::ZERO);
    kit.call("grow", json!({"quietly": true})).await.expect("answered");
    kit.call("seen", json!({})).await.expect("a use of them");
    let is_grown = |event| match event {
        BridgeEvent::Tools { tools, .. } => tools.iter().any(|tool| tool.name == "extra0").then_some(()),
        BridgeEvent::State { .. } => None,
    };
    kit.event(is_grown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_out_of_date_at_once_are_not_listed_at_each_use() {
    let kit = with_interval(Duration::from_hours(1));
    kit.bridge.tools("s").await.expect("listed");
    let before = listings(&kit).await;
    for _ in 0..200 {
        kit.call("seen", json!({})).await.expect("answered");
        kit.bridge.tools("s").await.expect("known");
    }
    let first = kit.bridge.beside("s").await.expect("it runs");
    assert!(std::sync::Arc::ptr_eq(&first, &kit.bridge.beside("s").await.expect("it runs")));
    // The subscription to changes of the list, which is made beside the start, may bring one more.
    assert!(listings(&kit).await <= before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_that_are_out_of_date_are_given_once_more_and_listed_for_the_next_look() {
    let kit = with_interval(Duration::ZERO);
    kit.bridge.tools("s").await.expect("listed");
    let first = kit.bridge.beside("s").await.expect("it runs");
    assert_eq!((first.resources[0].uri.as_str(), first.tells_changes), ("text:0", true));
    kit.call("grow", json!({"quietly": true})).await.expect("answered");
    let looking = async {
        while kit.bridge.beside("s").await.expect("it runs").resources[0].uri != "text:1" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, looking).await.expect("it is listed anew");
}

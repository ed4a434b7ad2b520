//! What the queue manager makes of transports and destinations that are out of order.

use compliance::delivery::{send, system};
use compliance::golden::{check, log};

const LINES: &str = r"postfix/(error|smtp|local)\[\d+\]: [0-9A-F]+: to=|postfix/qmgr\[\d+\]: ([0-9A-F]+: (to=|from=<[^>]*>, status=)|warning: connect to transport)";

#[test]
fn what_cannot_be_delivered_now_waits_for_its_reason() {
    let instance = system(
        "transport_maps = inline:{ { held.example = slow: } { gone.example = gone: } { dead.example = smtp:[127.0.0.1]:20001 } }\ndefer_transports = slow\nsmtp_initial_destination_concurrency = 1",
        "",
        |_| {},
    );
    send(
        &instance,
        &[
            "a@held.example",
            "b@gone.example",
            "c@gone.example",
            "d@dead.example",
            "e@dead.example",
            "double-bounce@test.example",
        ],
    );
    check(&instance, "qmgr/out-of-order", &log(&instance, LINES));
    instance.assert_no_panic();
}

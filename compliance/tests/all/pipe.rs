//! Delivery to commands of `master.cf`: their words, their input, what their end means.

use compliance::delivery::{send, shown, system_with};
use compliance::golden::check;

const SERVICES: &str = "
show unix - n n - - pipe flags=DFORhu user=vmail argv=/bin/sh TOP/etc/show $recipient $original_recipient $user $extension $mailbox $domain $nexthop $sender ${client_address} id=$queue_id ${envid}
dots unix - n n - - pipe flags=.>BXq eol=\\r\\n user=vmail:bob directory=TOP/out argv=/bin/sh TOP/etc/show $recipient <$user> $size
null unix - n n - - pipe flags=FR null_sender= user=vmail argv=/bin/sh TOP/etc/show ${sender}
small unix - n n - - pipe size=10 user=vmail argv=/bin/cat
code unix - n n - - pipe user=vmail argv=/bin/sh -c {echo said so; exit $nexthop}
talk unix - n n - - pipe user=vmail argv=/bin/sh -c {cat >/dev/null; echo all is well}
gone unix - n n - - pipe user=vmail argv=/nonexistent/program
nodir unix - n n - - pipe user=vmail directory=/nonexistent argv=/bin/cat
wrong unix - n n - - pipe user=vmail argv=/bin/echo $nonsense
late unix - n n - - pipe user=vmail argv=/bin/sleep 30
killed unix - n n - - pipe user=vmail argv=/bin/sh -c {kill -9 $$$$}
";

const TRANSPORTS: &str = "inline:{ show.example=show:Next.Example, dots.example=dots:, null.example=null:, small.example=small:, c1.example=code:1, c64.example=code:64, c75.example=code:75, c78.example=code:78, talk.example=talk:, gone.example=gone:, nodir.example=nodir:, wrong.example=wrong:, late.example=late:, killed.example=killed: }";

#[test]
fn commands_of_master_cf() {
    let instance = system_with(
        &format!(
            "transport_maps = {TRANSPORTS}\nlate_time_limit = 1s\nshow_destination_recipient_limit = 1\ndots_destination_recipient_limit = 5"
        ),
        SERVICES,
        "",
        |instance| {
            instance.write(
                "etc/show",
                format!(
                    "umask 077\nf={}out/shown\n(id -u; id -g; id -G; pwd; umask; env | sort; for a in \"$@\"; do echo \"arg=<$a>\"; done; cat) >> $f\n",
                    instance.path("").display()
                ),
            );
        },
    );
    let mut text = send(
        &instance,
        &[
            "User+Ext@Show.Example",
            "A\\ B@dots.example",
            "x@null.example",
            "x@small.example",
            "x@c1.example",
            "x@c64.example",
            "x@c75.example",
            "x@c78.example",
            "x@talk.example",
            "x@gone.example",
            "x@nodir.example",
            "x@wrong.example",
            "x@late.example",
            "x@killed.example",
        ],
    );
    text += &shown(&instance, "out");
    check(&instance, "pipe/commands", &text);
    instance.assert_no_panic();
}

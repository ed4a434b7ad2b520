//! Advice for when mail for one destination takes up much of the active queue.

/// What one destination has of the active queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub nexthop: Vec<u8>,
    pub transport: String,
    /// Groups of recipients that wait for it or are on their way.
    pub length: usize,
    pub busy: usize,
    /// How many deliveries at once it takes.
    pub window: usize,
    /// How many it may take at most; 0 for no limit.
    pub concurrency: usize,
    /// Whether more than one message waits for it.
    pub several: bool,
}

impl Share {
    /// What to tell the administrator, when there are so many messages in the active queue and room for `active_limit`.
    pub fn advice(&self, messages: usize, active_limit: usize) -> Vec<String> {
        let Self {
            length, transport, ..
        } = self;
        let nexthop = String::from_utf8_lossy(&self.nexthop);
        let mut lines = vec![format!(
            "mail for {nexthop} is using up {length} of {messages} active queue entries"
        )];
        if length.saturating_mul(10) < messages.saturating_mul(9) {
            lines.push("this may slow down other mail deliveries".to_owned());
        }
        if self.concurrency > 0 && self.concurrency <= self.busy + 1 {
            lines.push(format!(
                "you may need to increase the main.cf {transport}_destination_concurrency_limit from {}",
                self.concurrency
            ));
        } else if self.window.saturating_mul(messages) > active_limit.saturating_mul(*length) {
            lines.push(format!(
                "you may need to increase the main.cf qmgr_message_active_limit from {active_limit}"
            ));
        } else if self.several {
            lines.push(format!(
                "you may need a separate master.cf transport for {nexthop}"
            ));
        } else {
            lines.extend([
                format!("you may need to reduce {transport} connect and helo timeouts"),
                "so that Postfix quickly skips unavailable hosts".to_owned(),
                "you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time".to_owned(),
                "so that Postfix wastes less time on undeliverable mail".to_owned(),
                format!("you may need to increase the master.cf {transport} process limit"),
            ]);
        }
        lines.extend([
            "please avoid flushing the whole queue when you have".to_owned(),
            "lots of deferred mail, that is bad for performance".to_owned(),
            "to turn off these warnings specify: qmgr_clog_warn_time = 0".to_owned(),
        ]);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_depends_on_what_is_short() {
        let share = Share {
            nexthop: b"slow.example".to_vec(),
            transport: "smtp".to_owned(),
            length: 50,
            busy: 5,
            window: 5,
            concurrency: 20,
            several: true,
        };
        let third = |share: &Share, messages| share.advice(messages, 200)[2].clone();
        assert!(third(&share, 100).contains("separate master.cf transport for slow.example"));
        let full = Share {
            busy: 19,
            ..share.clone()
        };
        assert!(third(&full, 100).contains("smtp_destination_concurrency_limit from 20"));
        let wide = Share {
            window: 101,
            concurrency: 0,
            ..share.clone()
        };
        assert!(third(&wide, 100).contains("qmgr_message_active_limit from 200"));
        // Nothing else is in the way of that.
        let alone = share.advice(50, 200);
        assert_eq!(alone.len(), 5);
    }
}

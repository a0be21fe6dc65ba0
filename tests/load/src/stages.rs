//! The split of answers by stage, from two readings of the core's metrics page.

use std::collections::BTreeMap;

/// One reading: sum and count of each stage's times, and of the flush's groups.
#[derive(Clone, Debug, Default)]
pub struct Reading(BTreeMap<String, (f64, f64)>);

/// Under this name a reading has how many answers shared a flush.
pub const GROUPS: &str = "answers in a flush";

impl Reading {
    /// Reads the page's text.
    pub fn of(page: &str) -> Self {
        let mut found = Self::default();
        for line in page.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let stage = |prefix: &str| {
                let rest = name.strip_prefix(prefix)?;
                Some(rest.strip_prefix("{stage=\"")?.strip_suffix("\"}")?.to_owned())
            };
            if let Some(stage) = stage("kms_core_stage_seconds_sum") {
                found.0.entry(stage).or_default().0 = value;
            } else if let Some(stage) = stage("kms_core_stage_seconds_count") {
                found.0.entry(stage).or_default().1 = value;
            } else if name == "kms_core_flush_group_answers_sum" {
                found.0.entry(GROUPS.to_owned()).or_default().0 = value;
            } else if name == "kms_core_flush_group_answers_count" {
                found.0.entry(GROUPS.to_owned()).or_default().1 = value;
            }
        }
        found
    }

    /// The mean of each stage between an earlier reading and this one, in microseconds; answers in a flush as they are.
    pub fn since(&self, earlier: &Self) -> BTreeMap<String, f64> {
        let mean = |(stage, (sum, count)): (&String, &(f64, f64))| {
            let (sum_before, count_before) = earlier.0.get(stage).copied().unwrap_or_default();
            let times = count - count_before;
            let scale = if stage == GROUPS { 1.0 } else { 1e6 };
            (times > 0.0).then(|| (stage.clone(), (sum - sum_before) / times * scale))
        };
        self.0.iter().filter_map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_what_happened_between_two_readings() {
        let page = |sum: &str, count: &str| {
            format!(
                "kms_core_stage_seconds_sum{{stage=\"sign\"}} {sum}\nkms_core_stage_seconds_count{{stage=\"sign\"}} {count}\n\
                 kms_core_flush_group_answers_sum 12\nkms_core_flush_group_answers_count 3\n"
            )
        };
        let (before, after) = (Reading::of(&page("1.0", "10")), Reading::of(&page("1.5", "15")));
        let means = after.since(&before);
        assert!((means["sign"] - 100_000.0).abs() < 1e-6, "{means:?}");
        assert!(!means.contains_key(GROUPS), "no flush in between");
        assert!((Reading::of(&page("0", "0")).since(&Reading::default())[GROUPS] - 4.0).abs() < 1e-9);
    }
}

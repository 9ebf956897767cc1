//! Kubernetes quantities such as `500m`, `2Gi` or `1e3`.

/// The number that a quantity stands for; none where the text is not a quantity.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            10f64.powi(exponent.parse().ok()?)
        }
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case("1", Some(1.0))]
    #[case("0.5", Some(0.5))]
    #[case("500m", Some(0.5))]
    #[case("2Gi", Some(2_147_483_648.0))]
    #[case("1G", Some(1e9))]
    #[case("1e3", Some(1000.0))]
    #[case("1E-1", Some(0.1))]
    #[case("1E", Some(1e18))]
    #[case("-1k", Some(-1000.0))]
    #[case("", None)]
    #[case("Gi", None)]
    #[case("2GiB", None)]
    #[case("2 Gi", None)]
    #[case("present", None)]
    fn parses_what_kubernetes_accepts(#[case] text: &str, #[case] expected: Option<f64>) {
        assert_eq!(super::parse(text), expected);
    }
}

//! Kubernetes quantities such as `500m`, `2Gi` or `1e3`, as Go's `resource.Quantity` counts them.

/// A Kubernetes quantity that is not negative: `digits * 10^scale`, exactly.
///
/// ```
/// use kuberay_contract::Quantity;
///
/// let cpu = Quantity::parse("500m").unwrap();
/// assert_eq!(cpu.rounded_up(), 1);
/// assert_eq!(Quantity::parse("2Gi").unwrap().rounded_up(), 2_147_483_648);
/// assert!(Quantity::parse("two").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    digits: u128,
    scale: i32,
}

impl Quantity {
    /// Reads a quantity; `None` where the text is no quantity, is negative, or has more digits than
    /// 128 bits hold.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let mut digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
        let mut scale = -i32::try_from(fraction.len()).ok()?;
        match suffix {
            "Ki" => digits = digits.checked_mul(1 << 10)?,
            "Mi" => digits = digits.checked_mul(1 << 20)?,
            "Gi" => digits = digits.checked_mul(1 << 30)?,
            "Ti" => digits = digits.checked_mul(1 << 40)?,
            "Pi" => digits = digits.checked_mul(1 << 50)?,
            "Ei" => digits = digits.checked_mul(1 << 60)?,
            _ => scale = scale.checked_add(exponent(suffix)?)?,
        }
        Some(Self { digits, scale })
    }

    /// Returns the number that Go's `AsInt64` returns; `None` where the text is no quantity, or is
    /// written as a fraction, as `1.5Gi` and `500m` are.
    ///
    /// ```
    /// use kuberay_contract::Quantity;
    ///
    /// assert_eq!(Quantity::int64("2Gi"), Some(2_147_483_648));
    /// assert_eq!(Quantity::int64("1.5G"), Some(1_500_000_000));
    /// assert_eq!(Quantity::int64("1.5Gi"), None);
    /// ```
    pub fn int64(text: &str) -> Option<i64> {
        let quantity = Self::parse(text)?;
        let is_binary = text.ends_with('i');
        if quantity.scale < 0 || is_binary && text.contains('.') {
            return None;
        }
        let power = 10u128.checked_pow(quantity.scale.unsigned_abs())?;
        i64::try_from(quantity.digits.checked_mul(power)?).ok()
    }

    /// Returns whether the quantity is zero.
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// Returns the quantity rounded up to a whole number, at most [`i64::MAX`].
    pub fn rounded_up(self) -> i64 {
        let power = 10u128.checked_pow(self.scale.unsigned_abs());
        let whole = if self.scale >= 0 {
            power.and_then(|power| self.digits.checked_mul(power))
        } else {
            // A power of ten that is too great leaves less than one.
            Some(power.map_or(u128::from(self.digits > 0), |power| {
                self.digits.div_ceil(power)
            }))
        };
        whole
            .and_then(|whole| i64::try_from(whole).ok())
            .unwrap_or(i64::MAX)
    }

    /// Returns the nearest float.
    pub fn value(self) -> f64 {
        format!("{}e{}", self.digits, self.scale)
            .parse()
            .unwrap_or(f64::INFINITY)
    }

    /// Returns the float that Go's `AsApproximateFloat64` returns: the digits times a power of ten,
    /// which may differ from the nearest float in its last bit.
    #[expect(clippy::cast_precision_loss, reason = "Go loses it in the same way")]
    pub fn approximate(self) -> f64 {
        let digits = self.digits as f64;
        if self.scale == 0 {
            return digits;
        }
        digits
            * format!("1e{}", self.scale)
                .parse::<f64>()
                .unwrap_or(f64::INFINITY)
    }
}

fn exponent(suffix: &str) -> Option<i32> {
    Some(match suffix {
        "" => 0,
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Quantity;

    #[rstest]
    #[case("1", 1)]
    #[case("500m", 1)]
    #[case("1500m", 2)]
    #[case("2000m", 2)]
    #[case("0.1", 1)]
    #[case(".5", 1)]
    #[case("2.", 2)]
    #[case("+3", 3)]
    #[case("1n", 1)]
    #[case("1e-30", 1)]
    #[case("0e-60", 0)]
    #[case("2Gi", 2_147_483_648)]
    #[case("1.5Gi", 1_610_612_736)]
    #[case("0.1Ki", 103)]
    #[case("1G", 1_000_000_000)]
    #[case("1e3", 1000)]
    #[case("1E3", 1000)]
    #[case("7E", 7_000_000_000_000_000_000)]
    #[case("16Ei", i64::MAX)]
    #[case("1e60", i64::MAX)]
    fn a_quantity_is_rounded_up(#[case] text: &str, #[case] value: i64) {
        assert_eq!(Quantity::parse(text).unwrap().rounded_up(), value);
    }

    #[rstest]
    #[case("4", 4.0)]
    #[case("500m", 0.5)]
    #[case("1.1", 11.0 * 0.1)]
    #[case("2Ki", 2048.0)]
    fn a_quantity_is_a_float_as_go_makes_it(#[case] text: &str, #[case] value: f64) {
        assert_eq!(
            Quantity::parse(text).unwrap().approximate().to_bits(),
            value.to_bits()
        );
    }

    #[rstest]
    #[case("1", 1.0)]
    #[case("0.5", 0.5)]
    #[case("0.3", 0.3)]
    #[case("500m", 0.5)]
    #[case("2Gi", 2_147_483_648.0)]
    #[case("1G", 1e9)]
    #[case("1e3", 1000.0)]
    #[case("1E-1", 0.1)]
    #[case("1E", 1e18)]
    fn the_value_is_the_nearest_float(#[case] text: &str, #[case] value: f64) {
        assert_eq!(
            Quantity::parse(text).unwrap().value().to_bits(),
            value.to_bits()
        );
    }

    #[rstest]
    #[case("")]
    #[case("present")]
    #[case("2 Gi")]
    #[case("Gi")]
    #[case(".")]
    #[case("1.2.3")]
    #[case("1 Gi")]
    #[case("-1")]
    #[case("1GiB")]
    #[case("1e")]
    fn other_texts_are_no_quantities(#[case] text: &str) {
        assert_eq!(Quantity::parse(text), None);
    }
}

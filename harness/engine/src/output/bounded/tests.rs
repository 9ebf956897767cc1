use assertables::assert_contains;

use super::*;

#[test]
fn as_many_bytes_as_allowed_are_read_and_not_one_more() {
    let read = |most| {
        let mut bytes = Vec::new();
        Bounded::new([7; 100].as_slice(), most)
            .read_to_end(&mut bytes)
            .map(|_| bytes.len())
    };
    assert_eq!(read(100).unwrap(), 100);
    assert_contains!(read(99).unwrap_err().to_string(), "unpacks to more than");
}

#include "core/key.h"

#include <algorithm>

#include "core/byte_mask.h"
#include "core/limits.h"

namespace statefs {
namespace {

// What keeps a key from reordering, breaking or hiding in a log line.
bool is_banned(std::uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f)) return true;
  switch (code_point) {
    case '\\':
    case 0x061c:  // Arabic letter mark
    case 0x200e:  // left-to-right mark
    case 0x200f:  // right-to-left mark
    case 0x2028:  // line separator
    case 0x2029:  // paragraph separator
    case 0xfeff:  // byte-order mark
      return true;
    default:
      return (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
  }
}

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

// RFC 3629, table 3-7 of the Unicode standard: the range of the second byte is what excludes overlong forms,
// surrogates and what lies above U+10FFFF.
CodePoint decode_code_point(ByteView text) {
  const std::uint8_t lead = text[0];
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xc2 || lead > 0xf4) return {};
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < size) return {};
  const std::uint8_t second_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t second_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < second_min || text[1] > second_max) return {};
  std::uint32_t value = lead & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return {};
    value = (value << 6) | (text[i] & 0x3fu);
  }
  return {value, size};
}

bool is_clean_utf8(ByteView text) {
  while (!text.empty()) {
    const CodePoint point = decode_code_point(text);
    if (point.size == 0 || is_banned(point.value)) return false;
    text = text.subspan(point.size);
  }
  return true;
}

// Where slashes and dots stand in 64 bytes of text, and in the 64 before: a segment is judged by the slash at its
// end, looking back, so that one pass is enough. No byte of a longer UTF-8 sequence is a slash or a dot.
struct Segments {
  std::uint64_t slashes = 0;
  std::uint64_t dots = 0;

  [[nodiscard]] bool has_refused_segment(const Segments& before) const {
    const auto back = [](std::uint64_t now, std::uint64_t then, int by) { return (now << by) | (then >> (64 - by)); };
    const std::uint64_t slash_1 = back(slashes, before.slashes, 1);
    const std::uint64_t slash_2 = back(slashes, before.slashes, 2);
    const std::uint64_t slash_3 = back(slashes, before.slashes, 3);
    const std::uint64_t dot_1 = back(dots, before.dots, 1);
    const std::uint64_t dot_2 = back(dots, before.dots, 2);
    return (slashes & (slash_1 | (dot_1 & (slash_2 | (dot_2 & slash_3))))) != 0;
  }
};

// Rules 2 to 4 for text of 1 to 255 bytes. All of them answer alike, so they need no order among themselves.
bool is_well_formed(ByteView text, bool is_prefix) {
  if (text[0] != '/' || (text.back() == '/') != is_prefix) return false;
  std::uint64_t special = 0;
  Segments before;
  for (std::size_t base = 0; base <= text.size(); base += 64) {
    Segments here;
    if (base < text.size()) {
      for_each_block(text, base, std::min(base + 64, text.size()), [&](std::size_t offset, auto block, std::size_t skip) {
        const TextMarks marks = block.marks();
        here.slashes |= (marks.slashes >> skip) << offset;
        here.dots |= (marks.dots >> skip) << offset;
        special |= marks.special;
      });
    }
    // The end of a key ends its last segment as a slash would.
    if (!is_prefix && text.size() - base < 64) here.slashes |= std::uint64_t{1} << (text.size() - base);
    if (here.has_refused_segment(before)) return false;
    before = here;
  }
  return special == 0 || is_clean_utf8(text);
}

}  // namespace

Result<CanonicalKey, KeyError> CanonicalKey::from(ByteView bytes) {
  if (bytes.size() > limits::key_size_max) return KeyError::too_long;
  if (bytes.empty() || !is_well_formed(bytes, false)) return KeyError::invalid;
  return CanonicalKey(bytes);
}

Result<CanonicalPrefix, KeyError> CanonicalPrefix::from(ByteView bytes) {
  if (bytes.size() > limits::key_size_max) return KeyError::too_long;
  if (bytes.empty() || !is_well_formed(bytes, true)) return KeyError::invalid;
  return CanonicalPrefix(bytes);
}

}  // namespace statefs

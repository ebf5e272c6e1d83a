// NAIVE KEY POLICY: design rules 1 to 5 for keys written a second time, the slow and obvious way, to be compared with
// core/key.h and core/policy.h. Shares no code with them and takes another road at every step: code points are
// decoded leniently and encoded again, segments are split into strings, rules are scanned one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace statefs::naive {

enum class KeyVerdict { well_formed, invalid, too_long };

inline std::string encode(std::uint32_t point) {
  const auto low = [](std::uint32_t value) { return static_cast<char>(0x80 | (value & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | (point >> 6)), low(point)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | (point >> 12)), low(point >> 6), low(point)};
  return {static_cast<char>(0xf0 | (point >> 18)), low(point >> 12), low(point >> 6), low(point)};
}

// The code points of strict UTF-8; false where the text is anything else.
inline bool decode(std::string_view text, std::vector<std::uint32_t>& points) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t size = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
    if (size == 0 || at + size > text.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead % (1u << (7 - size));
    for (std::size_t i = 1; i < size; ++i) point = point * 64 + static_cast<unsigned char>(text[at + i]) % 64;
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    if (encode(point) != text.substr(at, size)) return false;  // an overlong form, or a byte that continues nothing
    points.push_back(point);
    at += size;
  }
  return true;
}

// `point` may be any number, also one that is no code point.
inline bool is_forbidden(std::uint32_t point) {
  static constexpr std::uint32_t single[] = {0x5c,   0x7f,   0x61c,  0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c,
                                             0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff};
  for (const std::uint32_t one : single) {
    if (point == one) return true;
  }
  return point <= 0x1f || (point >= 0x80 && point <= 0x9f);
}

inline KeyVerdict judge(std::string_view text, bool is_prefix) {
  if (text.empty()) return KeyVerdict::invalid;
  if (text.size() > 255) return KeyVerdict::too_long;
  std::vector<std::uint32_t> points;
  if (!decode(text, points)) return KeyVerdict::invalid;
  for (const std::uint32_t point : points) {
    if (is_forbidden(point)) return KeyVerdict::invalid;
  }
  if (text.front() != '/') return KeyVerdict::invalid;
  if (is_prefix) {
    if (text.back() != '/') return KeyVerdict::invalid;
    if (text == "/") return KeyVerdict::well_formed;
    text.remove_suffix(1);
  }
  std::vector<std::string> segments{""};
  for (const char c : text.substr(1)) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  for (const std::string& segment : segments) {
    if (segment.empty() || segment == "." || segment == "..") return KeyVerdict::invalid;
  }
  return KeyVerdict::well_formed;
}

struct Rule {
  std::string subtree;
  std::uint8_t access = 0;
  bool deny = false;
};

struct Verdict {
  bool allowed = false;
  std::uint16_t rule = 0;
};

inline bool is_under(std::string_view subtree, std::string_view text) { return text.substr(0, subtree.size()) == subtree; }

inline bool is_reserved(std::string_view text) { return is_under("/state/keystore/", text) || is_under("/state/boot/", text); }

// Whether `text` (a key, or a prefix to list) may be used, and which rule says so.
inline Verdict evaluate(const std::vector<Rule>& rules, std::string_view text, std::uint8_t access) {
  std::size_t grant = 0;
  std::size_t deny = 0;
  for (std::size_t place = 1; place <= rules.size(); ++place) {
    const Rule& rule = rules[place - 1];
    if (!is_under(rule.subtree, text) || (rule.access & access) == 0) continue;
    std::size_t& best = rule.deny ? deny : grant;
    if (best == 0 || rules[best - 1].subtree.size() < rule.subtree.size()) best = place;
  }
  // A reserved subtree is denied like by a rule of its own, as soon as any grant of any access lies above it.
  for (const std::string_view reserved : {"/state/keystore/", "/state/boot/"}) {
    if (!is_under(reserved, text)) continue;
    for (const Rule& rule : rules) {
      if (rule.deny || !is_under(rule.subtree, reserved)) continue;
      if (deny == 0 || rules[deny - 1].subtree.size() < reserved.size()) return {false, 0xffff};
    }
  }
  if (deny != 0) return {false, static_cast<std::uint16_t>(deny)};
  return {grant != 0, static_cast<std::uint16_t>(grant)};
}

// The shortest subtree whose deny covers `key`; empty where none does.
inline std::string_view widest_deny(const std::vector<Rule>& rules, std::string_view key, std::uint8_t access) {
  std::string_view widest;
  const auto consider = [&](std::string_view subtree) {
    if (is_under(subtree, key) && (widest.empty() || subtree.size() < widest.size())) widest = subtree;
  };
  for (const Rule& rule : rules) {
    if (rule.deny && (rule.access & access) != 0) consider(rule.subtree);
    if (rule.deny) continue;
    if (is_under(rule.subtree, "/state/keystore/")) consider("/state/keystore/");
    if (is_under(rule.subtree, "/state/boot/")) consider("/state/boot/");
  }
  return widest;
}

}  // namespace statefs::naive

#include "os/text/audit_text.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/core/audit_samples.h"

namespace statefs {
namespace {

const Digest own_hash = counted<32>(0xd0);

std::string json_of(const AuditRecord& record) {
  std::string out;
  append_audit_json(record, own_hash, out);
  return out;
}
std::string console_of(const AuditRecord& record) {
  std::string out;
  append_audit_console(record, own_hash, out);
  return out;
}
std::string time_of(std::int64_t wall_ns) {
  std::string out;
  append_rfc3339(wall_ns, out);
  return out;
}

// A reader of the flat JSON objects that this project writes, stricter than JSON: one object, no nesting, no escapes,
// every member once. Null where the line is anything else.
std::optional<std::map<std::string, std::string>> parse_flat_json(std::string_view line) {
  std::map<std::string, std::string> members;
  const auto eat = [&](char c) {
    if (line.empty() || line.front() != c) return false;
    line.remove_prefix(1);
    return true;
  };
  const auto string = [&]() -> std::optional<std::string> {
    if (!eat('"')) return {};
    const std::size_t end = line.find('"');
    if (end == std::string_view::npos) return {};
    const std::string text(line.substr(0, end));
    for (const char c : text) {
      if (static_cast<std::uint8_t>(c) < 0x20 || c == '\\' || c == 0x7f) return {};
    }
    line.remove_prefix(end + 1);
    return text;
  };
  if (!eat('{')) return {};
  do {
    const auto name = string();
    if (!name || !eat(':')) return {};
    std::string value;
    if (!line.empty() && line.front() == '"') {
      const auto text = string();
      if (!text) return {};
      value = *text;
    } else {
      const std::size_t end = line.find_first_of(",}");
      value = std::string(line.substr(0, end));
      const bool is_number = !value.empty() && value.find_first_not_of("-0123456789") == std::string::npos;
      if (!is_number && value != "null" && value != "true" && value != "false") return {};
      line.remove_prefix(std::min(end, line.size()));
    }
    if (!members.emplace(*name, value).second) return {};
  } while (eat(','));
  if (!eat('}') || line != "\n") return {};
  return members;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(from_hex(text.substr(i + 1, 2)).at(0));
    i += 2;
  }
  return out;
}

// The fields of a console line behind its five leading words.
std::map<std::string, std::string> console_fields(std::string_view line) {
  std::map<std::string, std::string> fields;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  line.remove_suffix(1);
  std::size_t word = 0;
  while (!line.empty()) {
    const std::string_view part = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(part.size() + 1, line.size()));
    if (word++ < 6) continue;
    const std::size_t equals = part.find('=');
    EXPECT_NE(equals, std::string_view::npos) << part;
    EXPECT_TRUE(fields.emplace(part.substr(0, equals), part.substr(equals + 1)).second) << part;
  }
  return fields;
}

const std::vector<std::string>& hostile_texts() {
  using namespace std::string_literals;
  static const std::vector<std::string> texts{
      "/state/shared/a\nb"s,
      "/state/shared/x\r\ndsoftbusd: audit remote statefs put allow peer=00 key=/state/shared/y status=OK index=1"s,
      "/state/shared/x status=OK index=99 hash=00"s,
      "/state/shared/x\",\"status\":\"OK"s,
      "/state/shared/back\\slash"s,
      "/state/shared/\\u000a"s,
      "/state/shared/\0nul"s,
      "/state/shared/%0A%"s,
      "/state/shared/\x1b[2J"s,
      "/state/shared/\x7f"s,
      "/state/shared/\xff\xfe"s,
      "/state/shared/\xc0\xaf"s,
      "/state/shared/\xed\xa0\x80"s,
      "/state/shared/caf\xc3\xa9"s,
      "/state/shared/caf\xc3\xa9\""s,
      "/state/shared/\xe2\x80\xae" "gpj.exe"s,
      "/state/shared/\xe2\x80\xa8line"s,
      "/state/shared/\xc2\x85next"s,
      "/state/shared/cut\xc3"s,
      "relative"s,
      "//"s,
      ""s,
      " "s,
      "="s,
      std::string(255, '\n'),
      std::string(255, '"'),
      std::string(255, '\xff'),
      std::string(255, 'k'),
  };
  return texts;
}

TEST(AuditJson, IsOneLineWithEveryFieldInOneOrder) {
  EXPECT_EQ(
      json_of(sample_mutation()),
      R"({"index":5501886858245,"kind":"mutation","time":"2023-11-14T22:13:20.123456789Z","wall_ns":1700000000123456789,)"
      R"("monotonic_ns":2387509390608836392,"epoch":5,)"
      R"("node":"303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",)"
      R"("policy":"505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f","peer_kind":"remote",)"
      R"("peer":"707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f","uid":null,"alias":"lamp",)"
      R"("session":4702394921427289928,"generation":1633837924,"slot":7,"sequence":5859837686836516696,)"
      R"("op_number":1,"op":"put","allowed":true,"rule":3,"status":"OK","status_number":0,"count":1,)"
      R"("key":"/state/shared/lamp","key_size":18,"key_digest":null,"value_size":2,)"
      R"("value_mac":"909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",)"
      R"("old_revision":4402375230469,"new_revision":5501886858245,)"
      R"("previous":"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",)"
      R"("hash":"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"})"
      "\n");
}

TEST(AuditJson, EveryKindHasTheSameMembers) {
  for (const AuditSample& sample : audit_samples()) {
    const auto members = parse_flat_json(json_of(sample.record));
    ASSERT_TRUE(members) << sample.name;
    EXPECT_EQ(members->size(), 32u) << sample.name;
    EXPECT_EQ(members->at("status"), name_of(sample.record.status));
    EXPECT_EQ(members->at("count"), std::to_string(sample.record.count));
  }
}

TEST(AuditJson, NoKeyOrAliasLeavesItsStringOrItsLine) {
  std::size_t plain = 0;
  for (const std::string& text : hostile_texts()) {
    AuditRecord record = sample_mutation();
    record.key = text;
    record.key_size = static_cast<std::uint32_t>(text.size());
    record.peer.alias = std::string_view(text).substr(0, limits::alias_size_max);
    const std::string line = json_of(record);
    EXPECT_LE(line.size(), audit_line_size_max);
    const auto members = parse_flat_json(line);
    ASSERT_TRUE(members) << line;
    EXPECT_EQ(members->size(), 32u);
    EXPECT_EQ(members->at("status"), "OK");
    if (members->contains("key")) {
      plain += 1;
      EXPECT_EQ(members->at("key"), text);
    } else {
      EXPECT_EQ(members->at("key_hex"), to_hex(as_bytes(text)));
    }
  }
  EXPECT_EQ(plain, 9u);  // those of the list that are printable, without quotes and backslashes
}

TEST(AuditConsole, IsOneLineWithTheVerdictInFront) {
  EXPECT_EQ(console_of(sample_mutation()),
            "dsoftbusd: audit remote statefs put allow "
            "peer=707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f alias=lamp key=/state/shared/lamp status=OK "
            "index=5501886858245 rule=3 old=4402375230469 new=5501886858245 size=2 "
            "mac=909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf session=4702394921427289928 "
            "generation=1633837924 slot=7 sequence=5859837686836516696 epoch=5 "
            "policy=505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f time=2023-11-14T22:13:20.123456789Z "
            "hash=d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef\n");
}

TEST(AuditConsole, EachKindSaysWhatHappened) {
  const std::map<std::string, std::string> expected{
      {"mutation_put_ok", "dsoftbusd: audit remote statefs put allow peer="},
      {"mutation_delete_denied", "dsoftbusd: audit remote statefs del deny peer="},
      {"mutation_key_over_limit", "dsoftbusd: audit remote statefs del deny peer="},
      {"mutation_by_local_uid", "dsoftbusd: audit local statefs put allow uid=1000 key="},
      {"refusals_of_get", "dsoftbusd: audit remote statefs get deny peer="},
      {"handshakes_not_enrolled", "dsoftbusd: audit none statefs handshake deny cause=not_enrolled status=OK index=0 count=4 "},
      {"handshakes_unnamed_uid", "dsoftbusd: audit none statefs handshake deny cause=unnamed_uid status=OK index=0 count=4 "},
      {"refusals_of_local_uid", "dsoftbusd: audit local statefs get deny uid=1000 status=ACCESS_DENIED index=9 count=17 "},
      {"damaged_record", "dsoftbusd: audit remote statefs record deny peer="},
      {"epoch", "dsoftbusd: audit none statefs epoch note status=OK "},
      {"policy_loaded", "dsoftbusd: audit none statefs policy note status=OK "},
      {"restored",
       "dsoftbusd: audit none statefs restore note status=OK index=6597069766657 from=909192939495969798999a9b9c9d9e9f "
       "store=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf epoch=6 "},
  };
  for (const AuditSample& sample : audit_samples()) {
    const std::string line = console_of(sample.record);
    EXPECT_TRUE(line.starts_with(expected.at(sample.name))) << line;
    EXPECT_EQ(console_fields(line).at("index"), std::to_string(sample.record.index));
    EXPECT_EQ(console_fields(line).at("hash"), to_hex(own_hash));
  }
}

TEST(AuditConsole, NoKeyOrAliasForgesAFieldOrALine) {
  const auto honest = console_fields(console_of(sample_mutation()));
  for (const std::string& text : hostile_texts()) {
    AuditRecord record = sample_mutation();
    record.key = text;
    record.key_size = static_cast<std::uint32_t>(text.size());
    const std::string line = console_of(record);
    EXPECT_LE(line.size(), audit_line_size_max);
    for (const char c : line.substr(0, line.size() - 1)) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << line;
    auto fields = console_fields(line);
    EXPECT_EQ(unescaped(fields.at("key")), text);
    fields["key"] = honest.at("key");
    EXPECT_EQ(fields, honest) << line;
  }
}

TEST(AuditText, TheLongestLinesStayWithinTheirLimit) {
  AuditRecord record = sample_mutation();
  const std::string key(255, '\n');
  const std::string alias(limits::alias_size_max, '\n');
  record.index = record.epoch = record.count = record.at.session = record.at.sequence = ~std::uint64_t{0};
  record.old_revision = record.new_revision = ~std::uint64_t{0};
  record.at.generation = record.value_size = record.key_size = ~std::uint32_t{0};
  record.at.slot = record.rule = 0xffff;
  record.op = 0xff;
  record.wall_ns = record.monotonic_ns = std::numeric_limits<std::int64_t>::min();
  record.status = Status::revision_conflict;
  record.key = key;
  record.key_digest = own_hash;
  record.peer.alias = alias;
  EXPECT_LE(json_of(record).size(), audit_line_size_max);
  EXPECT_LE(console_of(record).size(), audit_line_size_max);
  EXPECT_GT(console_of(record).size(), audit_line_size_max / 2);
}

TEST(AuditText, NamesEveryOpAndOnlyOps) {
  std::size_t named = 0;
  for (int op = 0; op < 256; ++op) named += name_of_op(static_cast<std::uint8_t>(op)).empty() ? 0 : 1;
  EXPECT_EQ(named, 11u);
  AuditRecord record = sample_mutation();
  record.op = 127;
  EXPECT_TRUE(console_of(record).starts_with("dsoftbusd: audit remote statefs op127 allow peer="));
  EXPECT_EQ(parse_flat_json(json_of(record))->at("op"), "null");
}

TEST(AuditTime, IsUtcWithNanoseconds) {
  EXPECT_EQ(time_of(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(time_of(1'700'000'000'123'456'789), "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(time_of(951'782'400'000'000'000), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(time_of(951'868'800'000'000'000), "2000-03-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of(4'107'542'399'999'999'999), "2100-02-28T23:59:59.999999999Z");
  EXPECT_EQ(time_of(4'107'542'400'000'000'000), "2100-03-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of(std::numeric_limits<std::int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(time_of(std::numeric_limits<std::int64_t>::min()), "1677-09-21T00:12:43.145224192Z");
}

// Every day from 1677 to 2262 follows the one before it.
TEST(AuditTime, DaysFollowEachOther) {
  const auto leap = [](int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); };
  int year = 1678;
  int month = 1;
  int day = 1;
  constexpr std::int64_t first_day = -106'650;
  for (std::int64_t days = first_day; days < 106'000; ++days) {
    char expected[64];
    std::snprintf(expected, sizeof(expected), "%04d-%02d-%02dT", year, month, day);
    ASSERT_EQ(time_of(days * 86'400'000'000'000).substr(0, 11), expected) << days;
    const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (++day > lengths[month - 1]) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
  }
}

}  // namespace
}  // namespace statefs

#include "sim/script.h"

namespace statefs::sim {
namespace {

std::string hex_of(std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = digits[value & 15];
  return out;
}

std::uint64_t checksum(std::string_view bytes) {  // FNV-1a: only has to tell test values apart
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return sum;
}

std::string_view verb_name(Verb verb) {
  switch (verb) {
    case Verb::put: return "put";
    case Verb::get: return "get";
    case Verb::del: return "del";
    case Verb::list: return "list";
    case Verb::sync: return "sync";
    case Verb::break_stream: return "break";
  }
  return "?";
}

std::string_view result_name(CallResult result) {
  switch (result) {
    case CallResult::answered: return "answered";
    case CallResult::outcome_unknown: return "outcome_unknown";
    case CallResult::timed_out: return "timed_out";
  }
  return "?";
}

std::uint64_t revision_in(const Completion& completion) {
  if (completion.result != CallResult::answered) return 0;
  if (const auto* mutation = std::get_if<MutationResponse>(&completion.response.body)) return mutation->revision;
  if (const auto* got = std::get_if<GetResponse>(&completion.response.body)) return got->revision;
  return 0;
}

std::vector<std::string> keys_in(const Completion& completion) {
  std::vector<std::string> keys;
  if (const auto* page = std::get_if<ListResponse>(&completion.response.body)) {
    for (const ListEntry& entry : page->entries) keys.emplace_back(as_text(entry.key));
  }
  return keys;
}

RequestBody request_of(const Step& step, std::span<const std::uint64_t> revisions) {
  std::optional<std::uint64_t> condition;
  if (step.revision_of) condition = revisions[*step.revision_of];
  if (step.if_absent) condition = 0;
  switch (step.verb) {
    case Verb::put: {
      PutRequest request;
      request.expected_revision = condition;
      request.key = as_bytes(step.key);
      request.value = as_bytes(step.value);
      request.value_size = static_cast<std::uint32_t>(step.value.size());
      return request;
    }
    case Verb::get: {
      GetRequest request;
      request.revision = condition;
      request.offset = step.offset;
      request.length = step.length;
      request.key = as_bytes(step.key);
      return request;
    }
    case Verb::del: {
      DeleteRequest request;
      request.expected_revision = condition;
      request.key = as_bytes(step.key);
      return request;
    }
    case Verb::list: {
      ListRequest request;
      request.limit = step.limit;
      request.prefix = as_bytes(step.key);
      request.cursor = as_bytes(step.cursor);
      return request;
    }
    case Verb::sync:
    case Verb::break_stream: break;
  }
  return SyncRequest{};
}

std::string surprise_in(const Step& step, const Completion& completion) {
  if (completion.result != CallResult::answered) return "not answered";
  if (completion.response.status != step.expected) {
    return "expected " + std::string(name_of(step.expected)) + ", answered " + std::string(name_of(completion.response.status));
  }
  if (step.checks_value) {
    const auto* got = std::get_if<GetResponse>(&completion.response.body);
    if (got == nullptr || !equal(got->data, as_bytes(step.value))) return "another value";
  }
  if (step.expected_keys && keys_in(completion) != *step.expected_keys) return "other keys";
  return {};
}

}  // namespace

Step Step::with_status(Status status) const {
  Step step = *this;
  step.expected = status;
  return step;
}

Step Step::with_revision_of(std::size_t index) const {
  Step step = *this;
  step.revision_of = index;
  return step;
}

Step Step::with_if_absent() const {
  Step step = *this;
  step.if_absent = true;
  return step;
}

Step put(std::string_view key, std::string_view value) {
  Step step;
  step.verb = Verb::put;
  step.key = key;
  step.value = value;
  return step;
}

Step get(std::string_view key) {
  Step step;
  step.verb = Verb::get;
  step.key = key;
  return step;
}

Step get(std::string_view key, std::string_view value) {
  Step step = get(key);
  step.value = value;
  step.checks_value = true;
  return step;
}

Step del(std::string_view key) {
  Step step;
  step.verb = Verb::del;
  step.key = key;
  return step;
}

Step list(std::string_view prefix) {
  Step step;
  step.verb = Verb::list;
  step.key = prefix;
  return step;
}

Step list(std::string_view prefix, std::vector<std::string> keys) {
  Step step = list(prefix);
  step.expected_keys = std::move(keys);
  return step;
}

Step sync() { return {}; }

Step break_stream() {
  Step step;
  step.verb = Verb::break_stream;
  return step;
}

std::string RevisionNames::name(std::uint64_t revision) {
  if (revision == 0) return "-";
  const auto [entry, added] = names_.try_emplace(revision, names_.size() + 1);
  return "r" + std::to_string(entry->second);
}

std::string printable(std::string_view bytes) {
  if (bytes.size() > 300) return std::to_string(bytes.size()) + " bytes " + hex_of(checksum(bytes));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out + '"';
}

std::string describe(const Step& step, const Completion& completion, RevisionNames& names) {
  std::string line(verb_name(step.verb));
  if (step.verb != Verb::sync) line += ' ' + printable(step.key);
  if (completion.result != CallResult::answered) return line + " -> " + std::string(result_name(completion.result));
  line += " -> " + std::string(name_of(completion.response.status));
  if (const auto* mutation = std::get_if<MutationResponse>(&completion.response.body)) {
    line += " revision=" + names.name(mutation->revision) + (mutation->index != 0 ? " recorded" : " unrecorded");
  } else if (const auto* got = std::get_if<GetResponse>(&completion.response.body)) {
    line += " revision=" + names.name(got->revision) + " size=" + std::to_string(got->total_size) + " " + printable(as_text(got->data));
  } else if (const auto* page = std::get_if<ListResponse>(&completion.response.body)) {
    for (const ListEntry& entry : page->entries) {
      line += ' ' + printable(as_text(entry.key)) + ':' + std::to_string(entry.size) + '@' + names.name(entry.revision);
    }
    if (page->has_more) line += " more";
  }
  return line;
}

std::string describe(const AuditRecord& record, RevisionNames& names) {
  std::string line = "kind=" + std::to_string(static_cast<unsigned>(record.kind)) + " op=" + std::to_string(record.op);
  line += " peer=" + std::to_string(static_cast<unsigned>(record.peer.kind)) + ':' + printable(record.peer.alias);
  line += " status=" + std::string(name_of(record.status)) + (record.allowed ? " allowed" : " not-allowed");
  line += " rule=" + std::to_string(record.rule) + " count=" + std::to_string(record.count);
  line += " key=" + printable(record.key) + " key_size=" + std::to_string(record.key_size);
  line += " value_size=" + std::to_string(record.value_size);
  return line + " old=" + names.name(record.old_revision) + " new=" + names.name(record.new_revision);
}

ScriptRun run_script(std::span<const Step> steps, Driver& driver) {
  ScriptRun run;
  RevisionNames names;
  std::vector<std::uint64_t> revisions;
  for (const Step& step : steps) {
    if (step.verb == Verb::break_stream) {
      driver.break_stream();
      run.transcript.emplace_back("break");
      revisions.push_back(0);
      continue;
    }
    STATEFS_CHECK(!step.revision_of || *step.revision_of < revisions.size());
    RequestBody request = request_of(step, revisions);
    if (auto* syncing = std::get_if<SyncRequest>(&request)) syncing->epoch = driver.epoch();
    const Completion completion = driver.call(request);
    revisions.push_back(revision_in(completion));
    run.transcript.push_back(describe(step, completion, names));
    const std::string surprise = surprise_in(step, completion);
    if (!surprise.empty()) run.surprises.push_back("step " + std::to_string(revisions.size() - 1) + ": " + run.transcript.back() + ": " + surprise);
  }
  return run;
}

}  // namespace statefs::sim

// put, get, del: one value at a time.
#include <unistd.h>

#include <variant>

#include "core/limits.h"
#include "os/hex.h"
#include "os/value_file.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

Result<ValueInput, Failure> open_value(const std::string& argument) {
  if (argument != "-" && !argument.starts_with('@')) return ValueInput::of_bytes(as_bytes(argument));
  auto input = argument == "-" ? ValueInput::of_descriptor("standard input", STDIN_FILENO) : ValueInput::of_file(argument.substr(1));
  if (!input) return Failure{Exit::failed, input.error().line};
  return std::move(input).value();
}

// What a server said to a PUT or DELETE.
struct Said {
  Status status = Status::ok;
  MutationResponse answer;
  std::uint32_t retry_ms = 0;
  std::string how_to_ask;  // again after a crash; empty for a value in chunks
};

// A mutation is reported as done only when what the server answered is also durable there.
std::optional<Failure> make_durable(Remote& remote, std::string_view verb, std::string_view key, const Said& done) {
  auto hello = remote.greet();
  if (!hello) return hello.error();
  const auto lost = [&](const std::string& why) {
    return Failure{Exit::outcome_unknown,
                   std::string(verb) + " " + printable(key) + ": done, but not known to be durable: " + why + done.how_to_ask};
  };
  auto completion = remote.call("sync", "", SyncRequest{hello.value().epoch});
  if (!completion) return lost(completion.error().line);
  const Response& response = completion.value().response;
  if (response.status != Status::ok) return lost(refused("sync", "", response.status, retry_after_ms_of(response)).line);
  return std::nullopt;
}

int report_mutation(std::string_view verb, const std::string& key, const MutationResponse& answer, bool synced, Output output) {
  std::string text;
  if (output == Output::json) {
    text = "{\"key\":" + json_string(key) + ",\"revision\":" + std::to_string(answer.revision) +
           ",\"index\":" + std::to_string(answer.index) + ",\"synced\":" + (synced ? "true" : "false") + "}\n";
  } else if (output == Output::usual || output == Output::text) {
    text = std::string(verb) + " " + key + ": ok, index " + std::to_string(answer.index) +
           (synced ? ", synced\n" : ", not synced\n");
  }
  const auto failure = print(text);
  return failure ? fail(*failure) : 0;
}


Result<Said, Failure> ask(Remote& remote, std::string_view verb, const std::string& key, const RequestBody& request) {
  auto completion = remote.call(verb, key, request);
  if (!completion) return completion.error();
  const Response& response = completion.value().response;
  const auto* const answer = std::get_if<MutationResponse>(&response.body);
  if (answer == nullptr && response.status == Status::ok) return refused(verb, key, Status::malformed);
  return Said{response.status, answer == nullptr ? MutationResponse{} : *answer, retry_after_ms_of(response), how_to_ask(completion.value())};
}

// In chunks: one more reading of the value, for its hash, and nothing of it is kept.
Result<Said, Failure> ask_in_chunks(Remote& remote, const PutOptions& options, std::optional<std::uint64_t> expected, ValueInput& value) {
  auto hello = remote.greet();
  if (!hello) return hello.error();
  if (value.size() > hello.value().total_value_size_max) {
    return Failure{Exit::failed, "put " + printable(options.key) + ": VALUE_TOO_LARGE: it has " + std::to_string(value.size()) +
                                     " bytes, and the server takes at most " + std::to_string(hello.value().total_value_size_max)};
  }
  auto digest = value.digest();
  if (!digest) return Failure{Exit::failed, "put " + printable(options.key) + ": " + digest.error().line};
  auto upload = remote.put({options.key, value.size(), digest.value(), expected}, value);
  if (!upload) return upload.error();
  if (upload.value().source_failed()) return Failure{Exit::failed, "put " + printable(options.key) + ": " + value.problem().line};
  return Said{upload.value().status(), upload.value().answer(), upload.value().answer().retry_after_ms, {}};
}

int report(Remote& remote, std::string_view verb, const std::string& key, const Said& said, bool sync, Output output) {
  if (said.status == Status::revision_conflict) {
    const std::string now = said.answer.revision == 0 ? "it does not exist" : "it is at revision " + std::to_string(said.answer.revision);
    return fail({Exit::revision_conflict,
                 std::string(verb) + " " + printable(key) + ": REVISION_CONFLICT: " + now + ": read it again and decide anew"});
  }
  if (said.status != Status::ok) return fail_refused(verb, key, said.status, said.retry_ms, output);
  if (sync) {
    if (const auto failure = make_durable(remote, verb, key, said)) return fail(*failure);
  }
  return report_mutation(verb, key, said.answer, sync, output);
}

std::string render(const std::string& key, ByteView bytes, std::uint64_t revision, Output output) {
  switch (output) {
    case Output::usual:
    case Output::raw:
      return std::string(as_text(bytes));
    case Output::text:
      return std::string(as_text(bytes)) + "\n";
    case Output::hex:
      return to_hex(bytes) + "\n";
    case Output::json:
      return "{\"key\":" + json_string(key) + ",\"revision\":" + std::to_string(revision) +
             ",\"size\":" + std::to_string(bytes.size()) + ",\"value_hex\":\"" + to_hex(bytes) + "\"}\n";
  }
  return {};
}

int keep(const std::string& key, const Download& got, FileOutput& file, Output output) {
  if (const auto problem = file.finish()) return fail({Exit::failed, problem->line});
  std::string text;
  if (output == Output::json) {
    text = "{\"key\":" + json_string(key) + ",\"revision\":" + std::to_string(got.revision()) +
           ",\"size\":" + std::to_string(got.total_size()) + "}\n";
  } else if (output == Output::text) {
    text = "get " + key + ": ok, " + std::to_string(got.total_size()) + " bytes, revision " + std::to_string(got.revision()) + "\n";
  }
  const auto failure = print(text);
  return failure ? fail(*failure) : 0;
}

}  // namespace

int run_put(const CommonOptions& common, const PutOptions& options) {
  auto value = open_value(options.value);
  if (!value) return fail({value.error().exit, "put " + printable(options.key) + ": " + value.error().line});
  const auto expected = options.if_absent ? std::optional<std::uint64_t>(0) : options.if_revision;
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  if (value.value().size() > limits::value_size_max) {
    const auto said = ask_in_chunks(remote.value(), options, expected, value.value());
    if (!said) return fail(said.error());
    return report(remote.value(), "put", options.key, said.value(), !options.no_sync, common.output);
  }
  Bytes bytes(static_cast<std::size_t>(value.value().size()));
  if (!value.value().read(0, bytes)) return fail({Exit::failed, "put " + printable(options.key) + ": " + value.value().problem().line});
  PutRequest request;
  request.key = as_bytes(options.key);
  request.value = bytes;
  request.value_size = static_cast<std::uint32_t>(bytes.size());
  request.expected_revision = expected;
  const auto said = ask(remote.value(), "put", options.key, request);
  if (!said) return fail(said.error());
  return report(remote.value(), "put", options.key, said.value(), !options.no_sync, common.output);
}

int run_delete(const CommonOptions& common, const DeleteOptions& options) {
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  DeleteRequest request;
  request.key = as_bytes(options.key);
  request.expected_revision = options.if_revision;
  const auto said = ask(remote.value(), "del", options.key, request);
  if (!said) return fail(said.error());
  return report(remote.value(), "del", options.key, said.value(), !options.no_sync, common.output);
}

// Standard output cannot take back what a replaced value left there, so the value is whole before it is printed.
int run_get(const CommonOptions& common, const GetOptions& options) {
  const std::string& key = options.key;
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  std::optional<FileOutput> file;
  if (options.to) {
    auto created = FileOutput::create(*options.to);
    if (!created) return fail({Exit::failed, "get " + printable(key) + ": " + created.error().line});
    file.emplace(std::move(created).value());
  }
  MemoryOutput memory;
  const auto got = remote.value().get(key, file ? static_cast<ValueSink&>(*file) : memory);
  if (!got) return fail(got.error());
  if (got.value().sink_failed()) return fail({Exit::failed, "get " + printable(key) + ": " + file->problem().line});
  if (got.value().status() == Status::malformed) {
    return fail({Exit::integrity, "get " + printable(key) + ": the server answers something else than it says there is"});
  }
  if (got.value().status() != Status::ok) return fail(refused("get", key, got.value().status()));
  if (file) return keep(key, got.value(), *file, common.output);
  const auto failure = print(render(key, memory.bytes, got.value().revision(), common.output));
  return failure ? fail(*failure) : 0;
}

}  // namespace statefs::cli

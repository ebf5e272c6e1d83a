// put, get, del: one value at a time.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <variant>

#include "core/limits.h"
#include "os/file.h"
#include "os/hex.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

Result<Bytes, Failure> load_value(const std::string& argument) {
  Fd file;
  int fd = STDIN_FILENO;
  std::string noun = "standard input";
  if (argument == "-") {
  } else if (!argument.empty() && argument[0] == '@') {
    const std::string path = argument.substr(1);
    noun = "value file " + printable(path);
    file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file.valid()) return Failure{Exit::failed, noun + ": " + errno_text(errno)};
    fd = file.get();
  } else {
    const ByteView bytes = as_bytes(argument);
    return Bytes(bytes.begin(), bytes.end());
  }
  auto bytes = read_all(noun, fd, limits::value_size_max);
  if (!bytes) return Failure{Exit::failed, bytes.error().line};
  return std::move(bytes).value();
}

// A mutation is reported as done only when what the server answered is also durable there.
std::optional<Failure> make_durable(Remote& remote, std::string_view verb, std::string_view key, const Completion& done) {
  auto hello = remote.greet();
  if (!hello) return hello.error();
  const auto lost = [&](const std::string& why) {
    return Failure{Exit::outcome_unknown,
                   std::string(verb) + " " + printable(key) + ": done, but not known to be durable: " + why + how_to_ask(done)};
  };
  auto completion = remote.call("sync", "", SyncRequest{hello.value().epoch});
  if (!completion) return lost(completion.error().line);
  const Status status = completion.value().response.status;
  if (status != Status::ok) return lost(refused("sync", "", status).line);
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

int run_mutation(const CommonOptions& common, std::string_view verb, const std::string& key, const RequestBody& request,
                 bool sync) {
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  auto completion = remote.value().call(verb, key, request);
  if (!completion) return fail(completion.error());
  const Response& response = completion.value().response;
  const auto* answer = std::get_if<MutationResponse>(&response.body);
  if (response.status == Status::revision_conflict && answer != nullptr) {
    const std::string now = answer->revision == 0 ? "it does not exist" : "it is at revision " + std::to_string(answer->revision);
    return fail({Exit::revision_conflict,
                 std::string(verb) + " " + printable(key) + ": REVISION_CONFLICT: " + now + ": read it again and decide anew"});
  }
  if (response.status != Status::ok || answer == nullptr) return fail(refused(verb, key, response.status));
  if (sync) {
    if (const auto failure = make_durable(remote.value(), verb, key, completion.value())) return fail(*failure);
  }
  return report_mutation(verb, key, *answer, sync, common.output);
}

struct Value {
  std::uint64_t revision = 0;
  Bytes bytes;
};

// Reads the whole value as ranges of one revision; nullopt where it was replaced in the middle.
Result<std::optional<Value>, Failure> read_value(Remote& remote, const std::string& key) {
  Value value;
  GetRequest request;
  request.key = as_bytes(key);
  request.length = static_cast<std::uint32_t>(limits::value_size_max);
  for (;;) {
    auto completion = remote.call("get", key, request);
    if (!completion) return completion.error();
    const Response& response = completion.value().response;
    if (response.status == Status::revision_changed) return std::optional<Value>{};
    const auto* answer = std::get_if<GetResponse>(&response.body);
    if (response.status != Status::ok || answer == nullptr) return refused("get", key, response.status);
    value.revision = answer->revision;
    value.bytes.insert(value.bytes.end(), answer->data.begin(), answer->data.end());
    if (value.bytes.size() >= answer->total_size) return std::optional<Value>(std::move(value));
    if (answer->data.empty() || answer->total_size > limits::total_value_size_ceiling) {
      return Failure{Exit::integrity, "get " + printable(key) + ": the server answers less than it says there is"};
    }
    request.revision = answer->revision;
    request.offset = value.bytes.size();
  }
}

std::string render(const std::string& key, const Value& value, Output output) {
  switch (output) {
    case Output::usual:
    case Output::raw:
      return std::string(as_text(value.bytes));
    case Output::text:
      return std::string(as_text(value.bytes)) + "\n";
    case Output::hex:
      return to_hex(value.bytes) + "\n";
    case Output::json:
      return "{\"key\":" + json_string(key) + ",\"revision\":" + std::to_string(value.revision) +
             ",\"size\":" + std::to_string(value.bytes.size()) + ",\"value_hex\":\"" + to_hex(value.bytes) + "\"}\n";
  }
  return {};
}

}  // namespace

int run_put(const CommonOptions& common, const PutOptions& options) {
  const auto value = load_value(options.value);
  if (!value) return fail({value.error().exit, "put " + printable(options.key) + ": " + value.error().line});
  PutRequest request;
  request.key = as_bytes(options.key);
  request.value = value.value();
  request.value_size = static_cast<std::uint32_t>(value.value().size());
  request.expected_revision = options.if_absent ? std::optional<std::uint64_t>(0) : options.if_revision;
  return run_mutation(common, "put", options.key, request, !options.no_sync);
}

int run_delete(const CommonOptions& common, const DeleteOptions& options) {
  DeleteRequest request;
  request.key = as_bytes(options.key);
  request.expected_revision = options.if_revision;
  return run_mutation(common, "del", options.key, request, !options.no_sync);
}

int run_get(const CommonOptions& common, const std::string& key) {
  constexpr int attempts_max = 4;
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto value = read_value(remote.value(), key);
    if (!value) return fail(value.error());
    if (!value.value()) continue;
    const auto failure = print(render(key, *value.value(), common.output));
    return failure ? fail(*failure) : 0;
  }
  return fail(refused("get", key, Status::revision_changed));
}

}  // namespace statefs::cli

// keygen, sync, status: the device's own key, and the server as a whole.
#include <variant>

#include "os/hex.h"
#include "os/identity.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

struct Line {
  std::string_view name;
  std::string value;
  bool quoted = false;
};

template <typename Lines>
std::string render(const Lines& lines, Output output) {
  std::string text;
  for (const Line& line : lines) {
    if (output == Output::json) {
      text += (text.empty() ? "{" : ",") + json_string(line.name) + ":" + (line.quoted ? json_string(line.value) : line.value);
    } else {
      text += std::string(line.name) + " " + line.value + "\n";
    }
  }
  return output == Output::json ? text + "}\n" : text;
}

}  // namespace

int run_keygen(const std::string& path, Output output) {
  const auto suite = make_crypto_suite();
  const auto key = create_identity(*suite, path);
  if (!key) return fail({Exit::failed, key.error().line});
  const std::string digits = to_hex(key.value().bytes);
  const auto failure = print(output == Output::json ? "{\"public_key\":\"" + digits + "\"}\n" : digits + "\n");
  return failure ? fail(*failure) : 0;
}

int run_sync(const CommonOptions& common) {
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  const auto hello = remote.value().greet();
  if (!hello) return fail(hello.error());
  const auto completion = remote.value().call("sync", "", SyncRequest{hello.value().epoch});
  if (!completion) return fail(completion.error());
  const Response& response = completion.value().response;
  const auto* answer = std::get_if<SyncResponse>(&response.body);
  if (response.status != Status::ok || answer == nullptr) {
    return fail_refused("sync", "", response.status, retry_after_ms_of(response), common.output);
  }
  if (common.output == Output::raw) return 0;
  const Line lines[] = {{"epoch", std::to_string(answer->epoch)}, {"durable_index", std::to_string(answer->durable_index)}};
  const auto failure = print(render(lines, common.output));
  return failure ? fail(*failure) : 0;
}

int run_status(const CommonOptions& common) {
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  const auto greeted = remote.value().greet();
  if (!greeted) return fail(greeted.error());
  const HelloResponse& hello = greeted.value();
  const Line lines[] = {
      {"protocol", std::to_string(hello.version)},
      {"store", to_hex(hello.store), true},
      {"epoch", std::to_string(hello.epoch)},
      {"last_index", std::to_string(hello.last_index)},
      {"durable_index", std::to_string(hello.durable_index)},
      {"head_index", std::to_string(hello.head.index)},
      {"head_hash", to_hex(hello.head.hash), true},
      {"key_size_max", std::to_string(hello.key_size_max)},
      {"value_size_max", std::to_string(hello.value_size_max)},
      {"total_value_size_max", std::to_string(hello.total_value_size_max)},
      {"list_entries_max", std::to_string(hello.list_entries_max)},
      {"keepalive_ms", std::to_string(hello.keepalive_ms)},
  };
  const auto failure = print(render(lines, common.output));
  return failure ? fail(*failure) : 0;
}

}  // namespace statefs::cli

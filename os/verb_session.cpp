// outcome, session close: what became of a request whose answer was lost, and the session that it was made in.
#include <algorithm>
#include <variant>

#include "os/hex.h"
#include "os/text/text_values.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

Result<SessionInstance, Failure> instance_of(const std::string& digits) {
  const auto bytes = bytes_of_hex(digits);
  SessionInstance instance{};
  if (!bytes || bytes->size() != instance.size()) {
    return Failure{Exit::failed, "'" + printable(digits) + "' is no instance: it has " + std::to_string(2 * instance.size()) +
                                     " hex digits, as the line of exit status 5 names it"};
  }
  std::copy(bytes->begin(), bytes->end(), instance.begin());
  return instance;
}

struct Told {
  std::string_view name;
  std::string meaning;
  Exit exit = Exit::ok;
};

Told told(const OutcomeResponse& answer) {
  switch (answer.outcome) {
    case Outcome::none: break;
    case Outcome::applied: return {"applied", "it was done", Exit::ok};
    case Outcome::refused: return {"refused", "it was answered " + std::string(name_of(answer.recorded)), exit_of(answer.recorded)};
    case Outcome::never_executed: return {"never", "it was not executed and never will be", Exit::failed};
    case Outcome::pending:
      return {"pending", "it has not arrived, and may still, while its session lives: 'statefs session close' ends that", Exit::outcome_unknown};
    case Outcome::beyond_horizon:
      return {"unknown", "the server knows nothing of it any more, or never did: read the key", Exit::outcome_unknown};
  }
  return {"none", "the server said nothing", Exit::failed};
}

// The session's number and its present generation, which is this program's from now on.
Result<SessionResponse, Failure> take_over(Remote& remote, const SessionInstance& instance) {
  ResumeRequest request{instance, 1};
  for (int attempt = 0; attempt < 4; ++attempt) {
    auto completion = remote.call("session close", "", request);
    if (!completion) return completion.error();
    const Response& response = completion.value().response;
    const auto* answer = std::get_if<SessionResponse>(&response.body);
    if (answer == nullptr || (response.status != Status::ok && response.status != Status::fenced)) {
      return refused("session close", "", response.status, retry_after_ms_of(response));
    }
    if (response.status == Status::ok) return *answer;
    request.generation = answer->generation + 1;
  }
  return refused("session close", "", Status::fenced);
}

}  // namespace

int run_outcome(const CommonOptions& common, const OutcomeOptions& options) {
  const auto instance = instance_of(options.instance);
  if (!instance) return fail(instance.error());
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  const auto completion = remote.value().call("outcome", "", OutcomeRequest{instance.value(), options.sequence, options.slot});
  if (!completion) return fail(completion.error());
  const Response& response = completion.value().response;
  const auto* answer = std::get_if<OutcomeResponse>(&response.body);
  if (response.status != Status::ok || answer == nullptr) {
    return fail_refused("outcome", "", response.status, retry_after_ms_of(response), common.output);
  }
  const Told what = told(*answer);
  std::string text;
  if (common.output == Output::json) {
    text = "{\"outcome\":\"" + std::string(what.name) + "\",\"status\":\"" + std::string(name_of(answer->recorded)) +
           "\",\"index\":" + std::to_string(answer->index) + ",\"revision\":" + std::to_string(answer->revision) + "}\n";
  } else if (common.output != Output::raw) {
    text = std::string(what.name) + ": " + what.meaning;
    if (answer->index != 0) text += ", index " + std::to_string(answer->index) + ", revision " + std::to_string(answer->revision);
    text += "\n";
  }
  if (const auto failure = print(text)) return fail(*failure);
  return static_cast<int>(what.exit);
}

int run_session_close(const CommonOptions& common, const std::string& digits) {
  const auto instance = instance_of(digits);
  if (!instance) return fail(instance.error());
  const auto suite = make_crypto_suite();
  auto remote = Remote::open(*suite, common);
  if (!remote) return fail(remote.error());
  const auto taken = take_over(remote.value(), instance.value());
  if (!taken) return fail(taken.error());
  const auto completion =
      remote.value().call("session close", "", CloseRequest{taken.value().session, taken.value().generation});
  if (!completion) return fail(completion.error());
  const Response& response = completion.value().response;
  const auto* answer = std::get_if<SessionResponse>(&response.body);
  if (response.status != Status::ok || answer == nullptr) {
    return fail_refused("session close", "", response.status, retry_after_ms_of(response), common.output);
  }
  std::string text;
  for (std::size_t slot = 0; slot < answer->slots.size(); ++slot) {
    const SlotState& state = answer->slots[slot];
    if (state.sequence == 0) continue;
    if (common.output == Output::json) {
      text += (text.empty() ? "" : ",") + ("{\"slot\":" + std::to_string(slot)) + ",\"sequence\":" + std::to_string(state.sequence) +
              ",\"status\":\"" + std::string(name_of(state.status)) + "\",\"index\":" + std::to_string(state.index) +
              ",\"revision\":" + std::to_string(state.revision) + "}";
    } else {
      text += "slot " + std::to_string(slot) + " sequence " + std::to_string(state.sequence) + " " + std::string(name_of(state.status)) +
              " index " + std::to_string(state.index) + " revision " + std::to_string(state.revision) + "\n";
    }
  }
  if (common.output == Output::json) {
    text = "{\"session\":" + std::to_string(answer->session) + ",\"slots\":[" + text + "]}\n";
  } else if (common.output == Output::raw) {
    text.clear();
  } else {
    text = "session " + std::to_string(answer->session) + " closed\n" + text;
  }
  const auto failure = print(text);
  return failure ? fail(*failure) : 0;
}

}  // namespace statefs::cli

// A program that keeps a setting of another device, or of its own, and says what became of it.
//
//   remote-state-example ADDRESS:PORT SERVER_KEY IDENTITY_FILE     over the network, as an enrolled peer
//   remote-state-example PATH                                      by the local door, as the uid that runs it
//
// Exit status: 0 all is done and durable, 1 it is not, and a line on standard error says why.
#include <cstdio>
#include <string>

#include "os/remote_state.h"

namespace {

constexpr const char* key = "/state/shared/example/starts";

int fail(const std::string& what, const std::string& why) {
  std::fprintf(stderr, "remote-state-example: %s: %s\n", what.c_str(), why.c_str());
  return 1;
}

// Counts one more start of this program: never twice for one, and never over what somebody else counts at the same time.
statefs::Result<statefs::RemoteWrite, statefs::RemoteError> count_one_more(statefs::RemoteState& state, unsigned long& starts) {
  for (;;) {
    const auto present = state.get(key);
    const bool is_new = !present && present.error().status == statefs::Status::not_found;
    if (!present && !is_new) return present.error();
    starts = is_new ? 1 : std::stoul(present.value().bytes) + 1;
    auto written = state.put(key, std::to_string(starts), is_new ? 0 : present.value().revision);
    if (written || written.error().status != statefs::Status::revision_conflict) return written;
  }
}

// A write whose answer was lost is not made again: the server is asked what became of it.
bool was_done(statefs::RemoteState& state, const statefs::RemoteError& error) {
  if (error.kind != statefs::RemoteError::Kind::outcome_unknown || !error.question) return false;
  const auto told = state.outcome(*error.question);
  return told && told.value().outcome == statefs::Outcome::applied;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return fail("usage", "ADDRESS:PORT SERVER_KEY IDENTITY_FILE, or PATH");
  auto made = argc == 2 ? statefs::RemoteState::at_local_door(argv[1]) : statefs::RemoteState::over_network(argv[1], argv[2], argv[3]);
  if (!made) return fail("cannot begin", made.error().line);
  statefs::RemoteState& state = made.value();
  state.set_timeout(statefs::seconds(10));
  if (const auto hello = state.connect(); !hello) return fail("cannot connect", hello.error().text());

  unsigned long starts = 0;
  const auto written = count_one_more(state, starts);
  if (!written && !was_done(state, written.error())) return fail("cannot count", written.error().text());
  if (const auto synced = state.sync(); !synced) {
    while (const auto lost = state.take_lost()) std::fprintf(stderr, "remote-state-example: %s was lost\n", lost->key.c_str());
    return fail("not durable", synced.error().text());
  }
  std::printf("started %lu times\n", starts);
  return 0;
}

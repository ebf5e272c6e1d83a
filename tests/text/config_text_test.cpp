#include "os/text/config_text.h"

#include <string>

namespace statefs {
namespace {

std::string refusal(const std::string& text) {
  const Result<ConfigText, TextError> config = parse_config(text);
  EXPECT_FALSE(config.ok()) << text;
  return config.ok() ? "" : line_of(config.error(), "config");
}
ConfigText parsed(const std::string& text) {
  Result<ConfigText, TextError> config = parse_config(text);
  EXPECT_TRUE(config.ok()) << line_of(config.error(), "config");
  return std::move(config).value();
}

TEST(ConfigText, LeavesEverythingAtItsDefault) {
  const ConfigText config = parsed("");
  EXPECT_FALSE(config.listen || config.identity || config.peers || config.policy || config.state || config.audit);
  EXPECT_EQ(config.store, StoreWish{});
  EXPECT_FALSE(config.sessions_per_key.has_value());
  EXPECT_EQ(config.limits.connections_max, limits::connections_max);
  EXPECT_EQ(config.limits.handshake_timeout, limits::handshake_timeout);
}

TEST(ConfigText, ReadsEveryName) {
  const ConfigText config = parsed(R"(
listen = "127.0.0.1:7070"
local = "/run/door"
identity = "i"
peers = "p"
policy = "q"
state = "memory"
state_size = "64MiB"
durability = "commit"
audit = "-"
[store]
value_bytes = "1MiB"
keys = 7
[limits]
connections = 8
connections_per_peer = 7
half_open = 6
local_connections = 5
local_connections_per_uid = 4
sessions_per_key = 5
handshakes_per_wakeup = 5
output_bytes = "1MiB"
waiting_bytes = "8MiB"
waiting_bytes_per_peer = "300KiB"
total_value_size = "512KiB"
requests_per_second = 50
bytes_per_second = "2MiB"
refusals_per_second = 9
session_events_per_second = 3
handshake_timeout = "250ms"
keepalive_interval = "1s"
dead_peer_timeout = "3s"
drain_timeout = "2m"
connection_age = "24h"
)");
  EXPECT_EQ(config.listen, "127.0.0.1:7070");
  EXPECT_EQ(config.local, "/run/door");
  EXPECT_EQ(config.limits.local_connections_max, 5u);
  EXPECT_EQ(config.limits.local_connections_per_uid_max, 4u);
  EXPECT_EQ(config.identity, "i");
  EXPECT_EQ(config.peers, "p");
  EXPECT_EQ(config.policy, "q");
  EXPECT_EQ(config.state, "memory");
  EXPECT_EQ(config.state_size, 64u << 20);
  EXPECT_EQ(config.durability, Durability::commit);
  EXPECT_EQ(config.audit, "-");
  EXPECT_EQ(config.store, (StoreWish{1u << 20, 7}));
  EXPECT_EQ(config.sessions_per_key, 5u);
  EXPECT_EQ(config.limits.connections_max, 8u);
  EXPECT_EQ(config.limits.connections_per_peer_max, 7u);
  EXPECT_EQ(config.limits.half_open_max, 6u);
  EXPECT_EQ(config.limits.handshakes_per_wakeup, 5u);
  EXPECT_EQ(config.limits.output_size_max, 1u << 20);
  EXPECT_EQ(config.limits.waiting_size_max, 8u << 20);
  EXPECT_EQ(config.limits.waiting_size_per_peer_max, 300u << 10);
  EXPECT_EQ(config.limits.staging.value_size_max, 512u << 10);
  EXPECT_EQ(config.limits.staging.bytes_per_peer_max, limits::staged_values_per_peer * (512u << 10));
  EXPECT_EQ(config.limits.rates.requests, (RateLimit{50, 200}));
  EXPECT_EQ(config.limits.rates.bytes, (RateLimit{2u << 20, 8u << 20}));
  EXPECT_EQ(config.limits.rates.refusals, (RateLimit{9, 36}));
  EXPECT_EQ(config.limits.rates.session_events, (RateLimit{3, 12}));
  EXPECT_EQ(config.limits.handshake_timeout, milliseconds(250));
  EXPECT_EQ(config.limits.keepalive_interval, seconds(1));
  EXPECT_EQ(config.limits.dead_peer_timeout, seconds(3));
  EXPECT_EQ(config.limits.drain_timeout, seconds(120));
  EXPECT_EQ(config.limits.connection_age_max, seconds(86'400));
}

TEST(ConfigText, LimitsNoRequestsAndNoBytesUnlessItIsTold) {
  const ConfigText config = parsed("");
  EXPECT_FALSE(config.limits.rates.requests.limits());
  EXPECT_FALSE(config.limits.rates.bytes.limits());
  EXPECT_EQ(config.limits.rates.refusals, (RateLimit{limits::refusals_per_second, limits::refusals_burst}));
  EXPECT_EQ(config.limits.rates.session_events, (RateLimit{limits::session_events_per_second, limits::session_events_burst}));
  EXPECT_EQ(parsed("[limits]\nbytes_per_second = '1GiB'").limits.rates.bytes.burst, std::uint64_t{1} << 32);
  EXPECT_EQ(refusal("[limits]\nbytes_per_second = 1023").substr(0, 37), "config:2:20: bytes_per_second is no s");
  EXPECT_EQ(refusal("[limits]\nrequests_per_second = 0").substr(0, 41), "config:2:23: requests_per_second is no co");
  EXPECT_EQ(refusal("[limits]\nrefusals_per_second = 1073741825").substr(0, 41), "config:2:23: refusals_per_second is no co");
}

TEST(ConfigText, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(refusal("listen = 7070"), "config:1:10: listen is an integer: write a string");
  EXPECT_EQ(refusal("\nlisen = ''"),
            "config:2:1: configuration has no \"lisen\": use listen, local, identity, peers, policy, state, state_size, "
            "durability, audit, [store] or [limits]");
  EXPECT_EQ(refusal("[limits]\nhandshake_timeout = \"10\""),
            "config:2:21: handshake_timeout is no duration: write a string such as \"250ms\", \"5s\", \"2m\" or \"24h\"");
  EXPECT_EQ(refusal("[limits]\nconnections = 0"),
            "config:2:15: connections is no count: write an integer from 1 to " + std::to_string(limits::connections_max));
}

TEST(ConfigText, RefusesLimitsThatContradictEachOther) {
  EXPECT_EQ(refusal("[limits]\nconnections = 8\nconnections_per_peer = 8\nhalf_open = 2").substr(0, 35), "config:1:2: connections_per_peer is");
  EXPECT_EQ(refusal("[limits]\nconnections = 8\nconnections_per_peer = 2\nhalf_open = 8").substr(0, 24), "config:1:2: half_open is");
  EXPECT_EQ(refusal("[limits]\nkeepalive_interval = '5s'\ndead_peer_timeout = '10s'").substr(0, 32), "config:1:2: dead_peer_timeout is");
  EXPECT_EQ(parsed("[limits]\nkeepalive_interval = '5s'\ndead_peer_timeout = '11s'").limits.dead_peer_timeout, seconds(11));
}

TEST(ConfigText, BoundsTheLargestValueByTheStoreAndTheCeiling) {
  const auto sized = [](std::size_t size) { return "[limits]\ntotal_value_size = " + std::to_string(size); };
  EXPECT_EQ(parsed("").limits.staging.value_size_max, limits::total_value_size_default);
  EXPECT_EQ(parsed(sized(limits::total_value_size_ceiling) + "\n[store]\nvalue_bytes = 16777216").limits.staging.value_size_max,
            limits::total_value_size_ceiling);
  EXPECT_EQ(refusal(sized(limits::total_value_size_ceiling + 1)).substr(0, 38), "config:2:20: total_value_size is no si");
  EXPECT_EQ(parsed(sized(limits::value_size_max)).limits.staging.value_size_max, limits::value_size_max);
  EXPECT_EQ(refusal(sized(limits::value_size_max - 1)).substr(0, 38), "config:2:20: total_value_size is no si");
  EXPECT_EQ(refusal("[store]\nvalue_bytes = 65536\n" + sized(65'537)).substr(0, 38), "config:4:20: total_value_size is above");
  EXPECT_EQ(parsed("[store]\nvalue_bytes = 65536").store.value_bytes, 65'536u) << "what was not written contradicts nothing";
}

TEST(ConfigText, RefusesEveryOtherShape) {
  for (const std::string text : {
           "listen = ''", "state = \"a\\u0000b\"", "store = 1", "[[limits]]", "[limits]\nx = 1", "[store]\nx = 1", "[store]\nkeys = 0",
           "[store]\nvalue_bytes = 0", "[store]\nvalue_bytes = '1mb'", "[limits]\nconnections = '8'", "[limits]\noutput_bytes = 4096",
           "[limits]\nwaiting_bytes = 4096",
           "[limits]\nwaiting_bytes = '8MiB'\nwaiting_bytes_per_peer = '8MiB'",
           "[limits]\ndrain_timeout = 5", "[limits]\ndrain_timeout = '0s'", "[limits]\ndrain_timeout = '9999999h'"}) {
    EXPECT_EQ(refusal(text).substr(0, 7), "config:") << text;
  }
  EXPECT_EQ(refusal("peers = '" + std::string(4'096, 'a') + "'").substr(0, 7), "config:");
}

}  // namespace
}  // namespace statefs

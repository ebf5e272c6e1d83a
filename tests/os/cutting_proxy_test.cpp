#include "tests/os/cutting_proxy.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/fd.h"

namespace statefs {
namespace {

// Nothing here waits longer than this for a byte.
void be_impatient(const Fd& fd) {
  const timeval limit{5, 0};
  ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
}

// A large frame is read in pieces, and is answered when the last of them has come.
TEST(CuttingProxy, PassesAWholeRequestBeforeItCuts) {
  const Fd daemon = listen_on(parse_endpoint("127.0.0.1:0").value()).value();
  const test::CuttingProxy proxy(local_endpoint(daemon), {1, 0, false, false});
  const Endpoint to = proxy.endpoint();
  const Fd client(::socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size), 0);
  Fd stream;
  while (!stream.valid()) stream = Fd(::accept4(daemon.get(), nullptr, nullptr, SOCK_CLOEXEC));
  be_impatient(client);
  be_impatient(stream);
  char byte = 0;
  for (const char piece : {'a', 'b', 'c'}) {
    ASSERT_EQ(::write(client.get(), &piece, 1), 1);
    ASSERT_EQ(::read(stream.get(), &byte, 1), 1) << piece;
    EXPECT_EQ(byte, piece);
  }
  EXPECT_EQ(proxy.cuts(), 1);
  ASSERT_EQ(::write(stream.get(), "x", 1), 1);
  EXPECT_LE(::read(client.get(), &byte, 1), 0) << "the answer does not arrive";
  EXPECT_NE(byte, 'x');
}

}  // namespace
}  // namespace statefs

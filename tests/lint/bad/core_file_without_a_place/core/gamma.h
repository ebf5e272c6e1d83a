// GAMMA: a noun.
#pragma once

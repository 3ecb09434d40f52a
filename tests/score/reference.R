# The printed values that tests/score/test_estimates.py is held against. Run: Rscript reference.R > reference.json
# Packages: survival (survfit, Surv), survey (svydesign, svymean). Times are hours.
library(survival)
library(survey)
options(digits = 17)

num <- function(x) paste0("[", paste(ifelse(is.na(x), "null", formatC(x, digits = 17, format = "g")), collapse = ","), "]")
at <- c(1, 4, 12, 24, 48, 72, 168)

# survfit stops Turnbull's EM when S changes by less than 5e-5, so its third decimal is not yet that of the
# maximum. This is the same EM, on the same jump times, iterated until nothing changes.
turnbull <- function(l, r, times) {
  exact <- !is.na(r) & l == r
  value <- c(l, r[!is.na(r)])
  kind <- c(ifelse(exact, 0, 2), rep(1, sum(!is.na(r))))
  o <- order(value, kind)
  value <- value[o]; kind <- kind[o]; n <- length(value)
  start <- which(kind[-n] != 1 & kind[-1] == 1)
  right <- ifelse(is.na(r), Inf, r)
  jump <- c((value[start] + value[start + 1]) / 2, if (any(is.na(r))) Inf)
  a <- sapply(jump, function(j) as.numeric((exact & j == l) | (!exact & j > l & j <= right)))
  p <- rep(1 / length(jump), length(jump))
  for (i in 1:2000000) {
    q <- colMeans(a * rep(p, each = length(l)) / as.vector(a %*% p))
    done <- max(abs(q - p)) < 1e-16
    p <- q
    if (done) break
  }
  list(surv = sapply(times, function(t) sum(p[jump > t])), median = jump[which(1 - cumsum(p) <= 0.5 + 1e-10)[1]])
}

report <- function(name, d) {
  removed <- !is.na(d$r)
  lenient <- survfit(Surv(d$l, removed) ~ 1, cluster = d$site, robust = TRUE, conf.type = "log-log")
  strict <- survfit(Surv(ifelse(removed, d$r, d$l), removed) ~ 1, cluster = d$site, robust = TRUE, conf.type = "log-log")
  npmle <- survfit(Surv(d$l, d$r, type = "interval2") ~ 1)
  exact <- turnbull(d$l, d$r, at)
  s <- function(f) summary(f, times = at, extend = TRUE)
  mature <- d$f >= 24
  m <- d[mature, ]
  late <- as.numeric(m$l > 24)
  ontime <- as.numeric(!is.na(m$r) & m$r <= 24)
  design <- svydesign(ids = ~site, data = data.frame(site = m$site, late = late, ontime = ontime), weights = rep(1, nrow(m)))
  mean_late <- svymean(~late, design)
  mean_ontime <- svymean(~ontime, design)
  rmean <- function(f) survival:::survmean(f, rmean = 168)$matrix["rmean"]
  cat(sprintf('"%s": {\n', name))
  cat('"last_online_h":', num(d$l), ',\n"first_offline_h":', num(d$r), ',\n"followed_h":', num(d$f), ',\n"site":', num(d$site), ',\n')
  cat('"survfit_npmle":', num(s(npmle)$surv), ',\n"npmle":', num(exact$surv), ',\n"npmle_median":', num(exact$median), ',\n')
  cat('"lenient":', num(s(lenient)$surv), ',\n"lenient_se":', num(s(lenient)$std.err), ',\n')
  cat('"strict":', num(s(strict)$surv), ',\n"strict_se":', num(s(strict)$std.err), ',\n')
  cat('"lenient_median_lower":', num(quantile(lenient, 0.5)$lower), ',\n"strict_median_upper":', num(quantile(strict, 0.5)$upper), ',\n')
  cat('"restricted_mean":', num(c(rmean(lenient), rmean(strict))), ',\n')
  cat('"late":', num(c(coef(mean_late), SE(mean_late))), ',\n"on_time":', num(c(coef(mean_ontime), SE(mean_ontime))), '\n}')
}

set.seed(1)
ties <- data.frame(
  l = c(0, 0, 1, 2, 2, 3, 3.5, 5, 8, 8, 12, 20, 23.5, 24, 26, 30, 47, 71, 100, 160),
  r = c(0, 3, 4, 4, 6, NA, 7, 9, 12, NA, 18, 24, 25, 30, 30, NA, 50, 75, NA, 170),
  f = 200, site = c(1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6))
many <- local({
  n <- 120
  site <- sample(1:9, n, TRUE, prob = (1:9)^2)
  t <- rexp(n, 1 / (5 * site))
  gap <- round(runif(n, 1, 5), 2)
  l <- round(pmax(0, t - gap * runif(n)), 2)
  r <- round(l + gap, 2)
  censored <- runif(n) < 0.15
  data.frame(l = l, r = ifelse(censored, NA, r), f = pmax(r, 30), site = site)
})
all_gone <- data.frame(l = c(0.5, 1, 2, 4), r = c(1, 3, 4, 8), f = 40, site = c(1, 1, 2, 3))
cat("{\n"); report("ties", ties); cat(",\n"); report("many", many); cat(",\n"); report("all_gone", all_gone); cat("\n}\n")

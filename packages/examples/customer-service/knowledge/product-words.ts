/**
 * Names of things: products, rooms, the shop.
 *
 * They say what a message is about but not what is wanted: "how long is the warranty of the
 * camera?" must find the warranty, not the camera. So they count less than their rarity in the
 * articles suggests.
 */
import { tokenize } from "./tokenize.ts";

const english = `
  lock locks door bulb bulbs lamp light lights camera cam doorbell bell plug plugs hub
  gateway thermostat vacuum robot vac curtain curtains motor sensor device devices app
  phone house home ostrelle order product`;

const chinese = `
  门锁 灯泡 灯 摄像头 门铃 插座 网关 温控器 扫地机 扫地机器人 机器人 窗帘 电机 窗帘电机 传感器 设备
  手机 家里 订单 卧室 客厅 厨房 智能 智能门锁 智能插座`;

/** The terms of all names. */
export const productTerms: ReadonlySet<string> = new Set(
  `${english} ${chinese}`.trim().split(/\s+/).flatMap(tokenize),
);
